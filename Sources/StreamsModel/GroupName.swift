/// The name of a consumer group within its topic: the rules are those of ``TopicName``.
public struct GroupName: Hashable, Comparable, Sendable {
    /// The name as clients write it.
    public let rawValue: String

    /// Checks a name that came from outside.
    ///
    /// - Throws: ``StreamsError`` with code `invalid_parameter`.
    public init(_ rawValue: String) throws(StreamsError) {
        guard TopicName.isValid(rawValue) else {
            throw .invalidParameter(
                "group",
                "A group's name has 1 to \(TopicName.lengthMaximum) characters of A-Z, a-z, 0-9, '.', '_' and '-', "
                    + "and is not '.' or '..'.")
        }
        self.rawValue = rawValue
    }

    /// Name order: by bytes.
    public static func < (left: GroupName, right: GroupName) -> Bool {
        left.rawValue.utf8.lexicographicallyPrecedes(right.rawValue.utf8)
    }
}

extension GroupName: CustomStringConvertible {
    /// The name itself.
    public var description: String { rawValue }
}
