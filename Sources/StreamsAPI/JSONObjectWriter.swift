import StreamsModel

/// Writes one JSON object, member by member, as bytes.
package struct JSONObjectWriter: Sendable {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    /// Begins an object.
    package init() {}

    /// The finished object.
    package func finish() -> [UInt8] {
        bytes + [UInt8(ascii: "}")]
    }

    /// Adds a string.
    package mutating func member(_ name: String, _ value: String) {
        begin(name)
        JSONString.append(value, to: &bytes)
    }

    /// Adds a whole number.
    package mutating func member(_ name: String, _ value: some BinaryInteger) {
        begin(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    /// Adds `true` or `false`.
    package mutating func member(_ name: String, _ value: Bool) {
        member(name, json: Array((value ? "true" : "false").utf8))
    }

    /// Adds a list of strings.
    package mutating func member(_ name: String, _ values: [String]) {
        begin(name)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONString.append(value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Adds a value that is JSON already.
    package mutating func member(_ name: String, json value: [UInt8]) {
        begin(name)
        bytes.append(contentsOf: value)
    }

    private mutating func begin(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        JSONString.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }
}
