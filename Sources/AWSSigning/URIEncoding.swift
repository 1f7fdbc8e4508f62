/// Percent-encoding as SigV4 wants it: all but letters, digits and `-._~`, with capital hex digits (RFC 3986).
package enum URIEncoding {
    /// Encodes a component of a path or a query; slashes are encoded too.
    package static func component(_ text: String) -> String { encode(text, keepingSlashes: false) }

    /// Encodes a path; slashes stay as they are, double ones too.
    package static func path(_ text: String) -> String { encode(text, keepingSlashes: true) }

    /// Encodes the parameters of a query, in this order, as `name=value&name=value`.
    package static func query(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { component($0.name) + "=" + component($0.value) }.joined(separator: "&")
    }

    private static func encode(_ text: String, keepingSlashes: Bool) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count + 16)
        for byte in text.utf8 {
            if isUnreserved(byte) || (keepingSlashes && byte == UInt8(ascii: "/")) {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(upperHex(byte >> 4))
                encoded.append(upperHex(byte & 15))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func upperHex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}
