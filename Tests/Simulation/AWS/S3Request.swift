import NIOCore
import NIOHTTP1
import StreamsAWS

/// A request to S3, read from what the client sends.
struct S3Request: Sendable {
    /// What must hold for a write.
    enum Condition: Sendable, Equatable {
        /// Nothing stands at the key.
        case ifNoneMatch
        /// What stands at the key has this ETag.
        case ifMatch(String)
    }

    /// The parameters of a list.
    struct List: Sendable {
        /// What the keys begin with.
        var prefix: String
        /// The key after which the list begins; may be empty.
        var startAfter: String
        /// The key after which a further page begins.
        var continuationToken: String?
        /// Most keys.
        var maxKeys: Int
        /// Whether keys are cut off behind the next slash.
        var hasDelimiter = false
    }

    /// What is to be done.
    enum Operation: Sendable {
        /// Store an object.
        case put(body: [UInt8], metadata: [(name: String, value: String)], condition: Condition?)
        /// Give an object.
        case get
        /// Give keys.
        case list(List)
        /// Delete an object, if it is the one of that ETag where one is given.
        case delete(etag: String?)
        /// Delete what stands at these keys.
        case deleteAll([String])
    }

    /// The key; empty for a list.
    var key: String
    /// What is to be done.
    var operation: Operation

    init(key: String, operation: Operation) {
        self.key = key
        self.operation = operation
    }

    /// Reads a request; `nil` for one that the log has no use for.
    init?(_ request: AWSTransportRequest) {
        guard let path = request.path else { return nil }
        key = String(path.dropFirst())
        switch request.method {
        case .PUT: operation = Self.put(request)
        case .GET where key.isEmpty:
            guard let list = Self.list(request) else { return nil }
            operation = .list(list)
        case .GET: operation = .get
        case .DELETE: operation = .delete(etag: request.header("if-match"))
        case .POST where key.isEmpty && request.url.hasSuffix("?delete="):
            let text = request.body.map { String(buffer: $0) } ?? ""
            operation = .deleteAll(text.split(separator: "<Key>").dropFirst().map { String($0.prefix { $0 != "<" }) })
        default: return nil
        }
    }

    private static func put(_ request: AWSTransportRequest) -> Operation {
        var condition: Condition?
        if request.header("if-none-match") == "*" { condition = .ifNoneMatch }
        if let etag = request.header("if-match") { condition = .ifMatch(etag) }
        let metadata = request.headers.filter { $0.name.hasPrefix("x-amz-meta-") }
        return .put(
            body: request.body.map { Array($0.readableBytesView) } ?? [], metadata: metadata, condition: condition)
    }

    private static func list(_ request: AWSTransportRequest) -> List? {
        var fields: [Substring: String] = [:]
        let query = request.url.drop { $0 != "?" }.dropFirst()
        for field in query.split(separator: "&") {
            let parts = field.split(separator: "=", maxSplits: 1)
            // Keys and tokens hold nothing that is encoded but slashes.
            fields[parts[0]] =
                parts.count == 2
                ? parts[1].split(separator: "%2F", omittingEmptySubsequences: false).joined(separator: "/") : ""
        }
        guard fields["list-type"] == "2", let maxKeys = fields["max-keys"].flatMap({ Int($0) }) else { return nil }
        return List(
            prefix: fields["prefix"] ?? "", startAfter: fields["start-after"] ?? "",
            continuationToken: fields["continuation-token"], maxKeys: maxKeys,
            hasDelimiter: fields["delimiter"] != nil)
    }
}

extension AWSTransportRequest {
    /// The path of the URL, with its slash.
    var path: Substring? {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        return ("/" + parts[3]).prefix { $0 != "?" }
    }

    /// The value of a header; names are in lower case here.
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
