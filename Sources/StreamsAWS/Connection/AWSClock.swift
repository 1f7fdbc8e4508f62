package import Logging
package import StreamsCore
package import StreamsModel
import Synchronization

/// A clock that AWS corrects: the wall clock of another source, moved by what AWS's answers show it to be off.
///
/// S3 and DynamoDB refuse what is signed with a time more than 15 minutes off, and the log's own rules compare times
/// of several machines; so the log and the signatures run on this clock. The `Date` of each answer that has AWS's request
/// id is compared, and a difference of more than 30 seconds is taken over. Uptime and sleep are those of the source.
package final class AWSClock: TimeSource {
    private let source: any TimeSource
    private let logger: Logger
    private let correction = Mutex(Duration.zero)

    /// How far a `Date` must be off before it counts: it has whole seconds, and is made somewhere within the request.
    private static let tolerance = Duration.seconds(30)

    /// Makes a clock that shows what `source` does until AWS says otherwise.
    package init(_ source: any TimeSource, logger: Logger) {
        self.source = source
        self.logger = logger
    }

    package func now() -> Timestamp {
        source.now().advanced(by: correction.withLock { $0 })
    }

    package func uptime() -> Duration { source.uptime() }

    package func sleep(for duration: Duration) async throws { try await source.sleep(for: duration) }

    /// Takes note of the time at AWS while a request was under way, from `sentAt` to `receivedAt` by this clock.
    ///
    /// The whole span counts, and not only its end: a process that was frozen in between (Lambda does that) reads an
    /// answer that was written long ago, and is right all the same.
    package func observe(_ serverTime: Timestamp, sentAt: Timestamp, receivedAt: Timestamp) {
        let early = serverTime.duration(to: sentAt)
        let late = receivedAt.duration(to: serverTime)
        guard early > Self.tolerance || late > Self.tolerance else { return }
        let change = late > Self.tolerance ? late : Duration.zero - early
        let (isNew, total) = correction.withLock { correction in
            // Another answer may have corrected the clock since this request was sent.
            let isStillOff = Self.isOff(source.now().advanced(by: correction), from: receivedAt.advanced(by: change))
            if isStillOff { correction += change }
            return (isStillOff, correction)
        }
        guard isNew else { return }
        logger.warning(
            "this machine's clock is off; AWS's time is used instead",
            metadata: ["correctionSeconds": "\(total.components.seconds)"])
    }

    private static func isOff(_ time: Timestamp, from right: Timestamp) -> Bool {
        let difference = time.duration(to: right)
        return difference > tolerance || difference < .zero - tolerance
    }
}
