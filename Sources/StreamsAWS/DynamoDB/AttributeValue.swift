/// The attributes of an item by their names.
package typealias DynamoDBItem = [String: AttributeValue]

/// A value of DynamoDB (Amazon DynamoDB API Reference, "AttributeValue").
package enum AttributeValue: Sendable, Equatable {
    /// Text.
    case string(String)
    /// A number, in the decimal text that DynamoDB keeps: never through floating point.
    case number(String)
    /// Bytes.
    case binary([UInt8])
    /// True or false.
    case bool(Bool)
    /// Null.
    case null
    /// Values by names.
    case map([String: AttributeValue])
    /// Values in order.
    case list([AttributeValue])
    /// A set of texts, never empty.
    case stringSet(Set<String>)
    /// A set of numbers, never empty.
    case numberSet(Set<String>)

    /// A whole number.
    package static func integer(_ value: Int64) -> AttributeValue { .number(String(value)) }

    /// The text, where it is one.
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The whole number, where it is one that fits.
    package var integer: Int64? {
        if case .number(let text) = self { Int64(text) } else { nil }
    }

    /// The bytes, where it is such.
    package var binary: [UInt8]? {
        if case .binary(let bytes) = self { bytes } else { nil }
    }

    /// Whether it is true, where it is true or false.
    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The values by names, where it is such.
    package var map: [String: AttributeValue]? {
        if case .map(let values) = self { values } else { nil }
    }

    /// The values in order, where it is such.
    package var list: [AttributeValue]? {
        if case .list(let values) = self { values } else { nil }
    }
}
