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
