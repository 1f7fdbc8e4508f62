/// Which lease of a group something was done under: it grows with each new lease and each seek.
public struct Generation: Hashable, Comparable, Sendable {
    /// The number that clients see; 0 before the first lease.
    public let rawValue: Int64

    /// A group's generation before its first lease.
    public static let none = Generation(unchecked: 0)

    /// Makes a generation from a number that came from outside.
    ///
    /// Returns `nil` below 0.
    public init?(_ rawValue: Int64) {
        guard rawValue >= 0 else { return nil }
        self.rawValue = rawValue
    }

    private init(unchecked rawValue: Int64) {
        self.rawValue = rawValue
    }

    /// The one after this.
    public var next: Generation { Generation(unchecked: rawValue + 1) }

    /// Whether `left` is the earlier one.
    public static func < (left: Generation, right: Generation) -> Bool { left.rawValue < right.rawValue }
}

extension Generation: CustomStringConvertible {
    /// The decimal number.
    public var description: String { String(rawValue) }
}
