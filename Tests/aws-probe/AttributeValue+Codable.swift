import Foundation
import StreamsAWS

/// Values as the lines of the probe carry them.
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
    public init(from decoder: any Decoder) throws {
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
    public func encode(to encoder: any Encoder) throws {
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
