/// The canonical request of Signature Version 4 (AWS, "Create a signed AWS API request", step 1).
struct CanonicalRequest {
    let text: String
    let signedHeaders: String

    init(_ request: SigningRequest, rules: SigningRules) {
        let headers = Self.canonicalHeaders(request.headers)
        signedHeaders = headers.map(\.name).joined(separator: ";")
        text = [
            request.method,
            Self.canonicalPath(request.path, rules: rules),
            Self.canonicalQuery(request.query),
            headers.map { $0.name + ":" + $0.value + "\n" }.joined(),
            signedHeaders,
            request.payload.hexadecimal,
        ].joined(separator: "\n")
    }

    /// Names in lower case and in order, values trimmed and with single spaces; equal names joined by commas.
    private static func canonicalHeaders(
        _ headers: [(name: String, value: String)]
    ) -> [(name: String, value: String)] {
        var values: [String: [String]] = [:]
        for header in headers {
            values[header.name.lowercased(), default: []].append(trimmed(header.value))
        }
        return values.sorted { $0.key < $1.key }.map { ($0.key, $0.value.joined(separator: ",")) }
    }

    private static func trimmed(_ value: String) -> String {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let words = value.utf8.split(whereSeparator: isSpace)
        return String(decoding: Array(words.joined(separator: [UInt8(ascii: " ")])), as: UTF8.self)
    }

    private static func canonicalPath(_ path: String, rules: SigningRules) -> String {
        switch rules {
        case .s3: path.isEmpty ? "/" : path
        case .general: URIEncoding.path(normalized(path))
        }
    }

    /// Without `.`, `..` and empty segments; a slash at the end stays.
    private static func normalized(_ path: String) -> String {
        var kept: [Substring] = []
        for segment in path.split(separator: "/") {
            switch segment {
            case ".": continue
            case "..": _ = kept.popLast()
            default: kept.append(segment)
            }
        }
        let joined = "/" + kept.joined(separator: "/")
        return path.hasSuffix("/") && !kept.isEmpty ? joined + "/" : joined
    }

    /// Sorted by name, then by value, as they are encoded; a name without a value gets an empty one.
    private static func canonicalQuery(_ query: String) -> String {
        let pairs = query.split(separator: "&").map { pair -> (name: Substring, value: Substring) in
            guard let equals = pair.firstIndex(of: "=") else { return (pair, "") }
            return (pair[..<equals], pair[pair.index(after: equals)...])
        }
        return pairs.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { $0.name + "=" + $0.value }.joined(separator: "&")
    }
}
