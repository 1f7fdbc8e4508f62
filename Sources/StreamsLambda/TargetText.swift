import StreamsModel

/// Puts the target of a request together again, from the parts that events have.
///
/// Some gateways decode the path before they pass it on (HTTP APIs), some do not (REST APIs, function URLs, load
/// balancers), and the event does not say. So only bytes that no encoded target can hold are encoded: what was encoded
/// stays as it is, and what was decoded becomes a target again.
enum TargetText {
    /// The bytes of a path as RFC 3986 section 3.3 allows them, and the percent sign.
    private static let inPath = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/%".utf8)
    private static let inQuery = inPath.union("?".utf8)

    /// A path from the event.
    static func path(_ path: String) -> String {
        let encoded = PercentEncoding.encode(path, keeping: inPath.contains)
        return path.utf8.first == UInt8(ascii: "/") ? encoded : "/" + encoded
    }

    /// A query that the event has as one text.
    static func query(_ query: String) -> String {
        PercentEncoding.encode(query, keeping: inQuery.contains)
    }

    /// A query that the event has in pieces; load balancers leave them encoded, API Gateway does not.
    static func query(_ parameters: [(name: String, value: String)], areEncoded: Bool) -> String {
        parameters.map { name, value in
            areEncoded
                ? query(name) + "=" + query(value)
                : PercentEncoding.encode(name) + "=" + PercentEncoding.encode(value)
        }.joined(separator: "&")
    }
}
