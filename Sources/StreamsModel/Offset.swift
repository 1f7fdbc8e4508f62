/// The place of a message in its topic, counted from 1 in order of append.
///
/// Bounds: 1 to 2^63-1. Ranges of offsets are half-open: `first ..< end`.
public struct Offset: Hashable, Comparable, Sendable {
    /// The number that clients see.
    public let rawValue: Int64

    /// The offset of a topic's first message.
    public static let first = Offset(unchecked: 1)

    /// Makes an offset from a number that came from outside.
    ///
    /// Returns `nil` below 1.
    public init?(_ rawValue: Int64) {
        guard rawValue >= 1 else { return nil }
        self.rawValue = rawValue
    }

    private init(unchecked rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// The offset `count` messages further on; `count` may be negative.
    ///
    /// Leaving the bounds is a mistake of the caller and stops the process: 2^63 messages do not fit on any disk.
    public func advanced(by count: Int) -> Offset {
        let moved = rawValue + Int64(count)
        precondition(moved >= 1, "an offset is at least 1")
        return Offset(unchecked: moved)
    }

    /// The number of messages from this offset to `other`; negative when `other` lies below.
    public func distance(to other: Offset) -> Int {
        Int(other.rawValue - rawValue)
    }

    /// Whether `left` comes before `right` in the topic.
    public static func < (left: Offset, right: Offset) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension Offset: CustomStringConvertible {
    /// The decimal number.
    public var description: String { String(rawValue) }
}

extension Range where Bound == Offset {
    /// How many offsets the range holds.
    public var offsetCount: Int { lowerBound.distance(to: upperBound) }

    /// The last offset in the range, which must not be empty.
    public var last: Offset { upperBound.advanced(by: -1) }
}
