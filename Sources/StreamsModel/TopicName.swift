/// The name of a topic: `[A-Za-z0-9._-]{1,249}`, and neither `.` nor `..`.
///
/// The bounds are Kafka's, so that names carry over. A value of this type has been checked; nothing checks it again.
public struct TopicName: Hashable, Comparable, Sendable {
    /// The name as clients write it.
    public let rawValue: String

    /// The longest name, in characters (all of them ASCII, so bytes too).
    public static let lengthMaximum = 249

    /// Checks a name that came from outside.
    ///
    /// - Throws: ``StreamsError`` with code `invalid_topic`.
    public init(_ rawValue: String) throws(StreamsError) {
        guard Self.isValid(rawValue) else {
            throw StreamsError(
                .invalidTopic,
                "A topic name has 1 to \(Self.lengthMaximum) characters of A-Z, a-z, 0-9, '.', '_' and '-', "
                    + "and is not '.' or '..'.")
        }
        self.rawValue = rawValue
    }

    /// Whether a text keeps the rules for names, which groups share.
    static func isValid(_ name: String) -> Bool {
        guard (1...lengthMaximum).contains(name.utf8.count), name != ".", name != ".." else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default:
                false
            }
        }
    }

    /// Name order: by bytes.
    public static func < (left: TopicName, right: TopicName) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
    }
}

extension TopicName: CustomStringConvertible {
    /// The name itself.
    public var description: String { rawValue }
}
