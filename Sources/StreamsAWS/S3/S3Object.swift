import NIOHTTP1
package import StreamsModel

/// What must hold for a write to happen.
package enum S3WriteCondition: Sendable, Equatable {
    /// Nothing: what is there is replaced.
    case none
    /// There is no object at the key.
    case ifNoneMatch
    /// The object at the key has this ETag.
    case ifMatch(String)
}

/// How a write went.
package enum S3PutOutcome: Sendable, Equatable {
    /// The object is durable.
    case stored(etag: String)
    /// The condition does not hold, perhaps because of an earlier try of this very write.
    case conditionFailed
}

/// What is said of an object besides its body.
package struct S3ObjectHead: Sendable, Equatable {
    /// The ETag, in quotes as S3 writes it.
    package var etag: String
    /// The size of the body in bytes.
    package var bodyBytes: Int
    /// The user's metadata, by names in lower case and without `x-amz-meta-`.
    package var metadata: [String: String]
    /// The media type.
    package var contentType: String?
    /// When it was written, by S3's clock, to the second.
    package var lastModified: Timestamp?

    /// Makes a head.
    package init(
        etag: String, bodyBytes: Int, metadata: [String: String], contentType: String?, lastModified: Timestamp?
    ) {
        self.etag = etag
        self.bodyBytes = bodyBytes
        self.metadata = metadata
        self.contentType = contentType
        self.lastModified = lastModified
    }
}

/// An object, whole.
package struct S3Object: Sendable, Equatable {
    /// What is said of it.
    package var head: S3ObjectHead
    /// Its bytes.
    package var body: [UInt8]

    /// Makes an object.
    package init(head: S3ObjectHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }

    /// The ETag.
    package var etag: String { head.etag }
    /// The user's metadata.
    package var metadata: [String: String] { head.metadata }
    /// When it was written.
    package var lastModified: Timestamp? { head.lastModified }
}

extension S3ObjectHead {
    init(_ answer: AWSTransportAnswer) {
        let prefix = "x-amz-meta-"
        var metadata: [String: String] = [:]
        for header in answer.headers {
            let name = header.name.lowercased()
            if name.hasPrefix(prefix) { metadata[String(name.dropFirst(prefix.count))] = header.value }
        }
        let announced = answer.headers.first(name: "content-length").flatMap { Int($0) }
        self.init(
            etag: answer.headers.first(name: "etag") ?? "", bodyBytes: announced ?? answer.body.count,
            metadata: metadata, contentType: answer.headers.first(name: "content-type"),
            lastModified: answer.headers.first(name: "last-modified").flatMap(TimeText.http))
    }
}
