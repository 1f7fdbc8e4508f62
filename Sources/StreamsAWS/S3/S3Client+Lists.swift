import AWSSigning
import Crypto
import NIOCore
import NIOHTTP1
import StreamsCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One page of a list.
package struct S3ObjectList: Sendable, Equatable {
    /// An object of the list.
    package struct Entry: Sendable, Equatable {
        /// The key.
        package var key: String
        /// The size of the body in bytes.
        package var bodyBytes: Int

        /// Makes an entry.
        package init(key: String, bodyBytes: Int) {
            self.key = key
            self.bodyBytes = bodyBytes
        }
    }

    /// The objects, in order of the bytes of their keys.
    package var entries: [Entry]
    /// What to ask for the next page with; `nil` on the last one.
    ///
    /// There may be a next page though this one has fewer objects than were asked for, or none.
    package var continuationToken: String?

    /// Makes a page.
    package init(entries: [Entry], continuationToken: String?) {
        self.entries = entries
        self.continuationToken = continuationToken
    }

    /// Whether there are more pages.
    package var isTruncated: Bool { continuationToken != nil }
}

/// An object that could not be deleted.
package struct S3DeleteFailure: Sendable, Equatable {
    /// The key.
    package var key: String
    /// S3's code, such as `AccessDenied`.
    package var code: String
    /// S3's message.
    package var message: String
}

extension S3Client {
    /// The most objects that one list or one delete takes.
    package static let objectsPerCall = 1000

    /// Lists objects whose keys begin with `prefix` and come after `startAfter`, at most `maxKeys` (1 to 1000).
    ///
    /// With the `continuationToken` of a page the next one comes, wherever that page ended, and `startAfter` is ignored.
    package func listObjects(
        prefix: String, startAfter: String? = nil, continuationToken: String? = nil, maxKeys: Int = objectsPerCall,
        deadline: Duration? = nil
    ) async throws(AWSError) -> S3ObjectList {
        var call = call("ListObjectsV2", .GET, key: nil, isWrite: false)
        var query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix)]
        query.append(("max-keys", String(min(max(maxKeys, 1), Self.objectsPerCall))))
        if let continuationToken {
            query.append(("continuation-token", continuationToken))
        } else if let startAfter {
            query.append(("start-after", startAfter))
        }
        call.query = URIEncoding.query(query.sorted { $0.0 < $1.0 })
        let answer = try await connection.perform(call, deadline: deadline).answer
        guard let list = S3ObjectList(XMLElement.parse(answer.body)) else {
            throw unexpected("ListObjectsV2", effect: .none, Self.otherXML)
        }
        guard list.continuationToken == nil || list.continuationToken != continuationToken else {
            throw unexpected("ListObjectsV2", effect: .none, "the page after which it was to go on")
        }
        return list
    }

    /// What keys begin with, up to and with the first slash behind `prefix`: each such beginning once, in order.
    ///
    /// At most `maxKeys` (1 to 1000) that come after `startAfter`; with the token of a page, those that come after it.
    package func listPrefixes(
        prefix: String, startAfter: String? = nil, continuationToken: String? = nil, maxKeys: Int = objectsPerCall,
        deadline: Duration? = nil
    ) async throws(AWSError) -> (prefixes: [String], continuationToken: String?) {
        var call = call("ListObjectsV2", .GET, key: nil, isWrite: false)
        var query = [("list-type", "2"), ("encoding-type", "url"), ("prefix", prefix), ("delimiter", "/")]
        query.append(("max-keys", String(min(max(maxKeys, 1), Self.objectsPerCall))))
        if let continuationToken {
            query.append(("continuation-token", continuationToken))
        } else if let startAfter {
            query.append(("start-after", startAfter))
        }
        call.query = URIEncoding.query(query.sorted { $0.0 < $1.0 })
        let answer = try await connection.perform(call, deadline: deadline).answer
        guard let document = XMLElement.parse(answer.body), let list = S3ObjectList(document),
            list.continuationToken == nil || list.continuationToken != continuationToken
        else {
            throw unexpected("ListObjectsV2", effect: .none, Self.otherXML)
        }
        let isEncoded = document["EncodingType"] == "url"
        let prefixes = document.children("CommonPrefixes").compactMap { element in
            element["Prefix"].flatMap { isEncoded ? S3ObjectList.decoded($0) : $0 }
        }
        return (prefixes, list.continuationToken)
    }

    /// Deletes objects, at most 1000, whatever they hold; returns those that could not be deleted.
    ///
    /// Keys without an object count as deleted.
    package func deleteObjects(
        _ keys: [String], deadline: Duration? = nil
    ) async throws(AWSError) -> [S3DeleteFailure] {
        precondition(keys.count <= Self.objectsPerCall, "at most 1000 keys at once")
        guard !keys.isEmpty else { return [] }
        var call = call("DeleteObjects", .POST, key: nil, isWrite: true)
        let objects = keys.map { "<Object><Key>\(XMLElement.escaped($0))</Key></Object>" }.joined()
        let body = Array("<Delete><Quiet>true</Quiet>\(objects)</Delete>".utf8)
        call.query = "delete="
        call.headers = [
            ("content-type", "application/xml"),
            ("content-md5", Data(Insecure.MD5.hash(data: body)).base64EncodedString()),
        ]
        call.body = ByteBuffer(bytes: body)
        call.payload = PayloadDigest(of: body)
        let answer = try await connection.perform(call, deadline: deadline).answer
        guard let result = XMLElement.parse(answer.body), result.name == "DeleteResult" else {
            throw unexpected("DeleteObjects", effect: .unknown, Self.otherXML)
        }
        return result.children("Error").map {
            S3DeleteFailure(key: $0["Key"] ?? "", code: $0["Code"] ?? "", message: $0["Message"] ?? "")
        }
    }

    private static let otherXML = "something other than its documented XML"
}

extension S3ObjectList {
    /// Reads a `ListBucketResult`; `nil` where it is none.
    init?(_ document: XMLElement?) {
        guard let document, document.name == "ListBucketResult" else { return nil }
        let isEncoded = document["EncodingType"] == "url"
        var entries: [Entry] = []
        for contents in document.children("Contents") {
            guard let written = contents["Key"], let key = isEncoded ? Self.decoded(written) : written,
                let bytes = contents["Size"].flatMap({ Int($0) })
            else { return nil }
            entries.append(Entry(key: key, bodyBytes: bytes))
        }
        guard document["IsTruncated"] == "true" else {
            self.init(entries: entries, continuationToken: nil)
            return
        }
        guard let token = document["NextContinuationToken"], !token.isEmpty else { return nil }
        self.init(entries: entries, continuationToken: token)
    }

    /// A key of a list in the encoding `url`: percent signs, and plus for space.
    static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                let digits = String(decoding: rest.prefix(2), as: UTF8.self)
                guard digits.utf8.count == 2, !digits.hasPrefix("+"), let value = UInt8(digits, radix: 16) else {
                    return nil
                }
                bytes.append(value)
                rest = rest.dropFirst(2)
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
