import StreamsModel

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Writes DynamoDB's JSON, what ``DynamoDBReader`` reads: one object, member by member; a `nil` is left out.
package struct DynamoDBWriter {
    private var bytes: [UInt8] = []

    /// Begins an object.
    package init() {
        bytes.reserveCapacity(512)
        bytes.append(UInt8(ascii: "{"))
    }

    /// The finished object.
    package consuming func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    /// Adds a string.
    package mutating func member(_ name: String, _ text: String?) {
        guard let text else { return }
        begin(name)
        append(text)
    }

    /// Adds a whole number.
    package mutating func member(_ name: String, _ number: Int?) {
        guard let number else { return }
        begin(name)
        bytes.append(contentsOf: String(number).utf8)
    }

    /// Adds `true` or `false`.
    package mutating func member(_ name: String, _ value: Bool?) {
        guard let value else { return }
        begin(name)
        append(value)
    }

    /// Adds an object of strings.
    package mutating func member(_ name: String, _ texts: [String: String]?) {
        guard let texts else { return }
        begin(name)
        object(texts) { text, writer in writer.append(text) }
    }

    /// Adds an item.
    package mutating func member(_ name: String, _ item: DynamoDBItem?) {
        guard let item else { return }
        begin(name)
        append(item)
    }

    /// Adds items.
    package mutating func member(_ name: String, _ items: [DynamoDBItem]?) {
        guard let items else { return }
        begin(name)
        list(items, "[", "]") { item, writer in writer.append(item) }
    }

    // MARK: Values

    private mutating func append(_ item: DynamoDBItem) {
        object(item) { value, writer in writer.append(value) }
    }

    private mutating func append(_ value: AttributeValue) {
        bytes.append(UInt8(ascii: "{"))
        switch value {
        case .string(let text): append("S", text)
        case .number(let text): append("N", text)
        case .binary(let data): append("B", Data(data).base64EncodedString())
        case .bool(let value):
            append(name: "BOOL")
            append(value)
        case .null:
            append(name: "NULL")
            append(true)
        case .map(let values):
            append(name: "M")
            append(values)
        case .list(let values):
            append(name: "L")
            list(values, "[", "]") { value, writer in writer.append(value) }
        case .stringSet(let texts): append("SS", texts)
        case .numberSet(let texts): append("NS", texts)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func append(_ type: String, _ text: String) {
        append(name: type)
        append(text)
    }

    private mutating func append(_ type: String, _ texts: Set<String>) {
        append(name: type)
        list(texts.sorted(), "[", "]") { text, writer in writer.append(text) }
    }

    private mutating func append(name: String) {
        append(name)
        bytes.append(UInt8(ascii: ":"))
    }

    // MARK: Parts

    private mutating func begin(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        append(name: name)
    }

    private mutating func append(_ text: String) {
        JSONString.append(text, to: &bytes)
    }

    private mutating func append(_ value: Bool) {
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    private mutating func object<Value>(
        _ members: [String: Value], _ append: (Value, inout DynamoDBWriter) -> Void
    ) {
        list(members, "{", "}") { member, writer in
            writer.append(name: member.key)
            append(member.value, &writer)
        }
    }

    private mutating func list<Elements: Sequence>(
        _ elements: Elements, _ open: Unicode.Scalar, _ close: Unicode.Scalar,
        _ append: (Elements.Element, inout DynamoDBWriter) -> Void
    ) {
        bytes.append(UInt8(ascii: open))
        var isFirst = true
        for element in elements {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            append(element, &self)
        }
        bytes.append(UInt8(ascii: close))
    }
}
