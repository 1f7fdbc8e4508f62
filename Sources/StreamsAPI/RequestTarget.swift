package import StreamsModel

/// The path and the query of a request, decoded.
package struct RequestTarget: Sendable, Equatable {
    /// The path's segments, percent-decoded, without a leading stage segment (`v1`, `v2`, …).
    package let path: [String]
    /// The query's parameters in order, percent-decoded.
    package let query: [(name: String, value: String)]

    /// Takes a request target of HTTP apart: a path, or a whole address as proxies send it (RFC 9112 section 3.2).
    ///
    /// - Throws: `not_found` where the path is not percent-encoded properly, `invalid_parameter` where the query is not.
    package init(_ target: String) throws(StreamsError) {
        let target = Self.withoutAuthority(target.prefix { $0 != "#" })
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var path: [String] = []
        for segment in (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            guard let decoded = PercentEncoding.decode(segment, plusIsSpace: false) else {
                throw StreamsError(.notFound, "The path is not percent-encoded properly.")
            }
            path.append(decoded)
        }
        // A trailing slash names the same thing.
        if path.last == "" { path.removeLast() }
        if let stage = path.first, Self.isStage(stage) { path.removeFirst() }
        self.path = path
        self.query = parts.count > 1 ? try Self.parameters(parts[1]) : []
    }

    /// The part behind `http://host`, or the target as it is where it does not begin so.
    private static func withoutAuthority(_ target: Substring) -> Substring {
        guard target.utf8.first != UInt8(ascii: "/") else { return target }
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            let rest = target.dropFirst(scheme.count)
            return rest[(rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex)...]
        }
        return target
    }

    private static func isStage(_ segment: String) -> Bool {
        segment.utf8.first == UInt8(ascii: "v") && segment.utf8.count > 1
            && segment.utf8.dropFirst().allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    }

    private static func parameters(_ query: Substring) throws(StreamsError) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(parts[0], plusIsSpace: true),
                let value = PercentEncoding.decode(parts.count > 1 ? parts[1] : "", plusIsSpace: true)
            else {
                throw .invalidParameter(String(parts[0]), "The query is not percent-encoded UTF-8.")
            }
            parameters.append((name, value))
        }
        return parameters
    }

    /// Whether two targets are the same.
    package static func == (left: RequestTarget, right: RequestTarget) -> Bool {
        left.path == right.path && left.query.elementsEqual(right.query) { $0.name == $1.name && $0.value == $1.value }
    }
}

/// Percent-encoding by RFC 3986 section 2.1.
package enum PercentEncoding {
    /// Decodes; `nil` where an escape is broken or the result is not UTF-8.
    package static func decode(_ text: Substring, plusIsSpace: Bool) -> String? {
        // Most texts hold nothing to decode.
        let isPlain = text.utf8.allSatisfy { $0 != UInt8(ascii: "%") && !(plusIsSpace && $0 == UInt8(ascii: "+")) }
        if isPlain { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexadecimalDigit),
                    let low = rest.popFirst().flatMap(hexadecimalDigit)
                else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace:
                bytes.append(UInt8(ascii: " "))
            default:
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Encodes everything but RFC 3986's unreserved characters.
    package static func encode(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes.append(contentsOf: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
