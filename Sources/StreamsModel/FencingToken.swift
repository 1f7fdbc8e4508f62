/// What the one current writer of a topic presents: 1 to 36 visible ASCII characters, such as a UUID or a number.
///
/// Tokens are compared for equality only. A value of this type has been checked; nothing checks it again.
public struct FencingToken: Hashable, Sendable {
    /// The token as clients write it.
    public let rawValue: String

    /// The longest token, in characters (all of them ASCII, so bytes too).
    public static let lengthMaximum = 36

    /// Checks a token that came from outside.
    ///
    /// `parameter` is where it came from, for the error.
    /// - Throws: ``StreamsError`` with code `invalid_parameter`.
    public init(_ rawValue: String, parameter: String = "Fencing-Token") throws(StreamsError) {
        guard rawValue.isVisibleASCII(atMost: Self.lengthMaximum) else {
            throw .invalidParameter(
                parameter, "'\(parameter)' has 1 to \(Self.lengthMaximum) visible ASCII characters, and no blanks.")
        }
        self.rawValue = rawValue
    }
}

extension FencingToken: Comparable {
    /// An order for lists; it says nothing of which token is newer.
    public static func < (left: FencingToken, right: FencingToken) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
    }
}

extension FencingToken: CustomStringConvertible {
    /// The token itself.
    public var description: String { rawValue }
}
