import StreamsCore
import StreamsModel

/// The periods by which retention is judged: days of UTC, counted from 1970.
///
/// S3 deletes an object some time after the midnight that follows its last day of retention (Amazon S3 user guide,
/// "Lifecycle configuration elements": the expiry time is rounded up to the next midnight UTC). So what was claimed on
/// day D stands at least until day D + retention + 1 begins. The first claim of each day leaves a **mark**, the last
/// offset before it, and the low mark follows from the smallest mark that is still retained.
struct Periods: Sendable {
    /// The days that an object is kept; `nil` for ever.
    let retentionDays: Int?

    /// AWS refuses requests whose clock is off by more than 15 minutes: claims so near to a day's beginning count for
    /// the day before, and a day leaves retention so much earlier.
    private static let clockMargin = Duration.seconds(16 * 60)
    private static let dayMilliseconds: Int64 = 86_400_000

    /// The day that a claim at this time counts for.
    func day(ofClaimAt time: Timestamp) -> Int {
        Self.day(time.advanced(by: .zero - Self.clockMargin))
    }

    /// The days of which every object still stands at this time; `nil` where objects stand for ever.
    func retained(at time: Timestamp) -> ClosedRange<Int>? {
        guard let retentionDays else { return nil }
        let today = Self.day(time.advanced(by: Self.clockMargin))
        return (today - retentionDays - (Mutant.retainADayTooMany.isActive ? 1 : 0))...today
    }

    private static func day(_ time: Timestamp) -> Int {
        Int(time.milliseconds.quotientRoundedDown(by: dayMilliseconds))
    }
}
