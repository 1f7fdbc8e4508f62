import StreamsModel

/// Percent-encoding as SigV4 wants it: all but letters, digits and `-._~`, with capital hex digits (RFC 3986).
package enum URIEncoding {
    /// Encodes a component of a path or a query; slashes are encoded too.
    package static func component(_ text: String) -> String { PercentEncoding.encode(text) }

    /// Encodes a path; slashes stay as they are, double ones too.
    package static func path(_ text: String) -> String {
        PercentEncoding.encode(text) { PercentEncoding.isUnreserved($0) || $0 == UInt8(ascii: "/") }
    }

    /// Encodes the parameters of a query, in this order, as `name=value&name=value`.
    package static func query(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { component($0.name) + "=" + component($0.value) }.joined(separator: "&")
    }
}
