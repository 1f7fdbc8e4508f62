import NIOCore
import NIOHTTP1
import StreamsAWS
import StreamsCore
import StreamsModel
import Synchronization

/// One bucket of S3, as far as the log relies on it: strong reads and lists, conditional writes, pages, expiry.
///
/// Amazon S3 API Reference, "PutObject", "GetObject", "ListObjectsV2"; user guide, "Conditional writes", "Lifecycle
/// configuration elements".
final class SimulatedS3: Sendable {
    /// An object as it stands.
    struct Object: Sendable {
        /// The user's metadata, by names with their prefix.
        var metadata: [(name: String, value: String)]
        /// Its bytes.
        var body: [UInt8]
        /// When it was stored, by S3's clock.
        var storedAt: Timestamp
        /// Its ETag: equal bodies have the same, whatever their metadata, as on S3.
        var etag: String
    }

    private struct State {
        /// In order of their bytes.
        var keys: [String] = []
        var objects: [String: Object] = [:]
        /// The highest key that ever stood.
        var highest = ""

        /// Where a key stands, or would stand.
        func place(of key: String) -> Int { keys.firstIndex(past: { $0 < key }) }
    }

    /// Most keys of a page; S3 may give fewer than it is asked for.
    private let pageMaximum: Int
    private let state = Mutex(State())

    /// Makes an empty bucket whose pages hold at most so many keys.
    init(pageMaximum: Int) {
        self.pageMaximum = pageMaximum
    }

    /// Performs a request, all at once, at the time `now`.
    func answer(_ request: S3Request, at now: Timestamp) -> AWSTransportAnswer {
        switch request.operation {
        case .put(let body, let metadata, let condition):
            return put(request.key, body, metadata, condition, at: now)
        case .get: return get(request.key)
        case .list(let list): return list.hasDelimiter ? self.prefixes(list) : self.list(list)
        case .delete(let etag): return delete(request.key, etag)
        case .deleteAll(let keys):
            for key in keys { expire(key) }
            return AWSTransportAnswer(status: 200, body: Array("<DeleteResult></DeleteResult>".utf8))
        }
    }

    /// The keys that stand.
    var keys: [String] { state.withLock { $0.keys } }

    /// Whether the highest key that was ever written has not expired.
    var hasHighest: Bool { state.withLock { $0.keys.last ?? "" == $0.highest } }

    /// The last offset of the highest key that stands; 0 where none does.
    var highestOffset: Int64 {
        state.withLock { $0.keys.last?.split(separator: "/").last.flatMap { Int64($0.prefix(20)) } ?? 0 }
    }

    /// The object at a key.
    func object(_ key: String) -> Object? { state.withLock { $0.objects[key] } }

    /// Deletes an object, as a lifecycle rule does.
    func expire(_ key: String) {
        state.withLock { state in
            guard state.objects.removeValue(forKey: key) != nil else { return }
            state.keys.remove(at: state.place(of: key))
        }
    }

    private func put(
        _ key: String, _ body: [UInt8], _ metadata: [(name: String, value: String)], _ condition: S3Request.Condition?,
        at now: Timestamp
    ) -> AWSTransportAnswer {
        state.withLock { state in
            let standing = state.objects[key]
            switch condition {
            case .ifNoneMatch where standing != nil: return .s3Refusal(412, "PreconditionFailed")
            case .ifMatch(let etag) where standing?.etag != etag:
                return standing == nil ? .s3Refusal(404, "NoSuchKey") : .s3Refusal(412, "PreconditionFailed")
            default: break
            }
            if standing == nil { state.keys.insert(key, at: state.place(of: key)) }
            state.highest = max(state.highest, key)
            let etag = Self.etag(of: body)
            state.objects[key] = Object(metadata: metadata, body: body, storedAt: now, etag: etag)
            return AWSTransportAnswer(status: 200, headers: ["etag": etag])
        }
    }

    /// FNV-1a instead of MD5 (RFC draft-eastlake-fnv): enough to tell bodies apart.
    private static func etag(of body: [UInt8]) -> String {
        let hash = body.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        return "\"\(String(hash, radix: 16))\""
    }

    /// Amazon S3 user guide, "How to perform conditional deletes".
    private func delete(_ key: String, _ etag: String?) -> AWSTransportAnswer {
        state.withLock { state in
            guard let standing = state.objects[key] else {
                return etag == nil ? AWSTransportAnswer(status: 204) : .s3Refusal(404, "NoSuchKey")
            }
            guard etag == nil || standing.etag == etag else { return .s3Refusal(412, "PreconditionFailed") }
            state.objects[key] = nil
            state.keys.remove(at: state.place(of: key))
            return AWSTransportAnswer(status: 204)
        }
    }

    /// A list with a delimiter.
    private func prefixes(_ list: S3Request.List) -> AWSTransportAnswer {
        let after = list.continuationToken ?? list.startAfter
        var prefixes: [String] = []
        for key in keys where key.hasPrefix(list.prefix) {
            let rest = key.dropFirst(list.prefix.count)
            guard let slash = rest.firstIndex(of: "/") else { continue }
            let prefix = String(key[...slash])
            if prefix > after, prefix != prefixes.last, key > after { prefixes.append(prefix) }
        }
        let page = prefixes.prefix(min(list.maxKeys, pageMaximum))
        let isTruncated = page.count < prefixes.count
        var text = "<ListBucketResult><IsTruncated>\(isTruncated)</IsTruncated>"
        if isTruncated, let last = page.last {
            text += "<NextContinuationToken>\(last)~</NextContinuationToken>"
        }
        for prefix in page { text += "<CommonPrefixes><Prefix>\(prefix)</Prefix></CommonPrefixes>" }
        return AWSTransportAnswer(status: 200, body: Array((text + "</ListBucketResult>").utf8))
    }

    private func get(_ key: String) -> AWSTransportAnswer {
        guard let object = object(key) else { return .s3Refusal(404, "NoSuchKey") }
        var headers: HTTPHeaders = ["etag": object.etag]
        for field in object.metadata { headers.add(name: field.name, value: field.value) }
        return AWSTransportAnswer(status: 200, headers: headers, body: object.body)
    }

    private func list(_ list: S3Request.List) -> AWSTransportAnswer {
        let entries: [(key: String, bytes: Int)]
        let isTruncated: Bool
        (entries, isTruncated) = state.withLock { state in
            let after = list.continuationToken ?? list.startAfter
            var index = state.place(of: max(after, list.prefix))
            if index < state.keys.count, state.keys[index] == after { index += 1 }
            let matching = state.keys[index...].prefix { $0.utf8.starts(with: list.prefix.utf8) }
            let page = matching.prefix(min(list.maxKeys, pageMaximum))
            let entries = page.map { (key: $0, bytes: state.objects[$0]?.body.count ?? 0) }
            return (entries, page.count < matching.count)
        }
        var text = "<ListBucketResult><IsTruncated>\(isTruncated)</IsTruncated>"
        if isTruncated, let last = entries.last {
            text += "<NextContinuationToken>\(last.key)</NextContinuationToken>"
        }
        for entry in entries {
            text += "<Contents><Key>\(entry.key)</Key><Size>\(entry.bytes)</Size></Contents>"
        }
        return AWSTransportAnswer(status: 200, body: Array((text + "</ListBucketResult>").utf8))
    }
}

extension AWSTransportAnswer {
    /// A refusal as S3 writes it.
    static func s3Refusal(_ status: Int, _ code: String) -> AWSTransportAnswer {
        AWSTransportAnswer(
            status: status, body: Array("<Error><Code>\(code)</Code><Message>Simulated.</Message></Error>".utf8))
    }
}
