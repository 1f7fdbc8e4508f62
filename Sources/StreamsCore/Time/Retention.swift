/// How long something is kept, as people write it.
package enum Retention: Equatable, Sendable {
    /// Nothing goes by itself.
    case forever
    /// At least this long.
    case limited(Duration)

    /// Reads `30d`, `12h`, `15m`, `30s` or `forever`; `nil` where the text is nothing of the kind.
    package init?(_ text: String) {
        if text == "forever" {
            self = .forever
            return
        }
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int(text.dropLast()), count > 0,
            count <= 1_000_000
        else { return nil }
        self = .limited(.seconds(count * unit))
    }

    /// The duration, or `nil` for ever.
    package var duration: Duration? {
        switch self {
        case .forever: nil
        case .limited(let duration): duration
        }
    }

    /// The number of days, `nil` for ever; throws away nothing: a retention that is not of whole days has none.
    package var wholeDays: WholeDays {
        guard let duration else { return .forever }
        let seconds = duration.components.seconds
        return seconds % 86400 == 0 ? .days(Int(seconds / 86400)) : .notWhole
    }

    /// A retention in days.
    package enum WholeDays: Equatable, Sendable {
        /// Without an end.
        case forever
        /// So many days, at least 1.
        case days(Int)
        /// Not a number of whole days.
        case notWhole
    }
}
