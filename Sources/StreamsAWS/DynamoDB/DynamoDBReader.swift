package import StreamsCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Reads DynamoDB's JSON, in which a value is an object of one member that is named by its type.
///
/// Amazon DynamoDB Developer Guide, "DynamoDB low-level API". Foundation's decoder took a fifth of the time that a
/// request to the table costs here; the scanner is the one that checks payloads.
package struct DynamoDBReader {
    /// What is not JSON, or is not what is expected there.
    package typealias Failure = JSONScanner.Failure

    /// DynamoDB nests values 32 deep, each of two objects or arrays, in documents that nest a little themselves.
    private static let nestingMaximum = 100
    private static let (openBrace, closeBrace) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
    private static let (openBracket, closeBracket) = (UInt8(ascii: "["), UInt8(ascii: "]"))

    // Each method takes it out first: while a span of it is looked at, the scanner could not move.
    private let bytes: [UInt8]
    private var scanner: JSONScanner

    /// Begins at the first byte of a document.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        scanner = JSONScanner(end: bytes.count, nestingMaximum: Self.nestingMaximum)
    }

    /// Reads an object; `member` reads each value, whose name it is given.
    package mutating func object(
        _ member: (String, inout DynamoDBReader) throws(Failure) -> Void
    ) throws(Failure) {
        let bytes = bytes
        guard try scanner.begin(Self.openBrace, until: Self.closeBrace, in: bytes.span) else { return }
        repeat {
            let name = try scanner.memberName(in: bytes.span)
            try member(JSONText.decode(name, in: bytes.span), &self)
        } while try scanner.goesOn(until: Self.closeBrace, in: bytes.span)
    }

    /// Reads an array; `element` reads each element.
    package mutating func array(_ element: (inout DynamoDBReader) throws(Failure) -> Void) throws(Failure) {
        let bytes = bytes
        guard try scanner.begin(Self.openBracket, until: Self.closeBracket, in: bytes.span) else { return }
        repeat { try element(&self) } while try scanner.goesOn(until: Self.closeBracket, in: bytes.span)
    }

    /// Reads a string.
    package mutating func text() throws(Failure) -> String {
        let bytes = bytes
        return JSONText.decode(try scanner.string(in: bytes.span), in: bytes.span)
    }

    /// Reads an object of strings.
    package mutating func texts() throws(Failure) -> [String: String] {
        var texts: [String: String] = [:]
        try object { (name, reader) throws(Failure) in texts[name] = try reader.text() }
        return texts
    }

    /// Reads a whole number.
    package mutating func integer() throws(Failure) -> Int {
        let bytes = bytes
        let span = try scanner.value(in: bytes.span)
        guard let number = Int(String(decoding: bytes[span], as: UTF8.self)) else {
            throw scanner.failure("expected a whole number before")
        }
        return number
    }

    /// Reads an item.
    package mutating func item() throws(Failure) -> DynamoDBItem {
        var item: DynamoDBItem = [:]
        try object { (name, reader) throws(Failure) in item[name] = try reader.value(depth: 1) }
        return item
    }

    /// Reads items.
    package mutating func items() throws(Failure) -> [DynamoDBItem] {
        var items: [DynamoDBItem] = []
        try array { (reader) throws(Failure) in items.append(try reader.item()) }
        return items
    }

    /// Passes over a value, whatever it is.
    package mutating func pass() throws(Failure) {
        let bytes = bytes
        _ = try scanner.value(in: bytes.span)
    }

    /// Passes over `null`, if that is next; returns whether it was.
    package mutating func passNull() throws(Failure) -> Bool {
        let bytes = bytes
        guard scanner.peek(in: bytes.span) == UInt8(ascii: "n") else { return false }
        try pass()
        return true
    }

    /// Demands the end of the document.
    package mutating func finish() throws(Failure) {
        let bytes = bytes
        try scanner.finish(in: bytes.span)
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(Failure) -> AttributeValue {
        guard depth < Self.nestingMaximum else { throw .tooDeep(position: scanner.position) }
        var value: AttributeValue?
        try object { (type, reader) throws(Failure) in
            guard value == nil else { throw reader.scanner.failure("expected one type alone") }
            value = try reader.value(of: type, depth: depth)
        }
        guard let value else { throw scanner.failure("expected a type before") }
        return value
    }

    private mutating func value(of type: String, depth: Int) throws(Failure) -> AttributeValue {
        switch type {
        case "S": return .string(try text())
        case "N": return .number(try text())
        case "B":
            guard let data = Data(base64Encoded: try text()) else { throw scanner.failure("expected base64 before") }
            return .binary(Array(data))
        case "BOOL": return .bool(try bool())
        case "NULL":
            _ = try bool()
            return .null
        case "M":
            var values: DynamoDBItem = [:]
            try object { (name, reader) throws(Failure) in values[name] = try reader.value(depth: depth + 1) }
            return .map(values)
        case "L":
            var values: [AttributeValue] = []
            try array { (reader) throws(Failure) in values.append(try reader.value(depth: depth + 1)) }
            return .list(values)
        case "SS": return .stringSet(try textSet())
        case "NS": return .numberSet(try textSet())
        default: throw scanner.failure("expected a value of a known type")
        }
    }

    private mutating func textSet() throws(Failure) -> Set<String> {
        var texts: Set<String> = []
        try array { (reader) throws(Failure) in texts.insert(try reader.text()) }
        return texts
    }

    private mutating func bool() throws(Failure) -> Bool {
        let bytes = bytes
        let span = try scanner.value(in: bytes.span)
        switch bytes[span.lowerBound] {
        case UInt8(ascii: "t"): return true
        case UInt8(ascii: "f"): return false
        default: throw scanner.failure("expected true or false before")
        }
    }
}
