#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

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

extension AttributeValue: Codable {
    private enum Key: String, CodingKey {
        case string = "S"
        case number = "N"
        case binary = "B"
        case bool = "BOOL"
        case null = "NULL"
        case map = "M"
        case list = "L"
        case stringSet = "SS"
        case numberSet = "NS"
    }

    /// Reads a value: an object with one member, whose name is the type.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard container.allKeys.count == 1, let key = container.allKeys.first else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a value of DynamoDB"))
        }
        switch key {
        case .string: self = .string(try container.decode(String.self, forKey: key))
        case .number: self = .number(try container.decode(String.self, forKey: key))
        case .binary: self = .binary(Array(try container.decode(Data.self, forKey: key)))
        case .bool: self = .bool(try container.decode(Bool.self, forKey: key))
        case .null: self = .null
        case .map: self = .map(try container.decode([String: AttributeValue].self, forKey: key))
        case .list: self = .list(try container.decode([AttributeValue].self, forKey: key))
        case .stringSet: self = .stringSet(try container.decode(Set<String>.self, forKey: key))
        case .numberSet: self = .numberSet(try container.decode(Set<String>.self, forKey: key))
        }
    }

    /// Writes a value.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .string(let value): try container.encode(value, forKey: .string)
        case .number(let value): try container.encode(value, forKey: .number)
        case .binary(let value): try container.encode(Data(value), forKey: .binary)
        case .bool(let value): try container.encode(value, forKey: .bool)
        case .null: try container.encode(true, forKey: .null)
        case .map(let value): try container.encode(value, forKey: .map)
        case .list(let value): try container.encode(value, forKey: .list)
        case .stringSet(let value): try container.encode(value.sorted(), forKey: .stringSet)
        case .numberSet(let value): try container.encode(value.sorted(), forKey: .numberSet)
        }
    }
}
