/// What makes a produce request recognisable when it comes again: 1 to 255 visible ASCII characters.
///
/// A key belongs to its topic. A value of this type has been checked; nothing checks it again.
public struct IdempotencyKey: Hashable, Sendable {
    /// The key as the client sent it.
    public let rawValue: String

    /// The longest key, in characters (all of them ASCII, so bytes too).
    public static let lengthMaximum = 255

    /// Checks a key that came from outside.
    ///
    /// - Throws: ``StreamsError`` with code `invalid_parameter`, which names the header.
    public init(_ rawValue: String) throws(StreamsError) {
        guard rawValue.isVisibleASCII(atMost: Self.lengthMaximum) else {
            throw .invalidParameter(
                "Idempotency-Key",
                "'Idempotency-Key' has 1 to \(Self.lengthMaximum) visible ASCII characters, and no blanks.")
        }
        self.rawValue = rawValue
    }
}

extension IdempotencyKey: CustomStringConvertible {
    /// The key itself.
    public var description: String { rawValue }
}

extension String {
    /// Whether the text has at least one and at most `maximum` characters, all from `!` to `~`: it can stand in a header
    /// as it is.
    func isVisibleASCII(atMost maximum: Int) -> Bool {
        (1...maximum).contains(utf8.count) && utf8.allSatisfy { (UInt8(ascii: "!")...UInt8(ascii: "~")).contains($0) }
    }
}
