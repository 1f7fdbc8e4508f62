import AWSSigning
import Crypto
import NIOCore
import NIOHTTP1
import StreamsCore
package import StreamsModel

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The calls to one bucket of S3, or of a store that speaks its language.
///
/// Each call is bounded by `deadline`, a time of the connection's uptime (without one, by the policy's time of a call),
/// and is tried again within it as `AWSConnection` does. Objects are written with conditions only, or by content that
/// is the same at each try, so that a retry does no harm: what an earlier try did shows in the answer to the next.
package struct S3Client: Sendable {
    /// What all clients share.
    package let connection: AWSConnection
    /// The bucket's name.
    package let bucket: String

    /// Makes a client; sends nothing.
    package init(_ connection: AWSConnection, bucket: String) {
        self.connection = connection
        self.bucket = bucket
    }

    /// Stores an object under a condition.
    ///
    /// The names in `metadata` are without `x-amz-meta-`; names and values are ASCII, 2 KB in all. With `signedAt`
    /// every try carries that time, and S3 refuses what comes more than 15 minutes after it. `conditionFailed` may be
    /// the work of an earlier try whose answer was lost: look at what is there.
    ///
    /// - Throws: `signedTooLongAgo` when S3 refuses the given time; `unexpectedAnswer`, with an unknown effect, for a
    ///   success without the object's ETag.
    package func putObject(
        _ key: String, body: [UInt8], contentType: String, metadata: [(name: String, value: String)] = [],
        condition: S3WriteCondition = .none, signedAt: Timestamp? = nil, deadline: Duration? = nil
    ) async throws(AWSError) -> S3PutOutcome {
        var call = call("PutObject", .PUT, key: key, isWrite: true)
        call.headers.append(("content-type", contentType))
        call.headers += metadata.map { ("x-amz-meta-" + $0.name, $0.value) }
        switch condition {
        case .none: break
        case .ifNoneMatch: call.headers.append(("if-none-match", "*"))
        case .ifMatch(let etag): call.headers.append(("if-match", etag))
        }
        call.body = ByteBuffer(bytes: body)
        call.payload = PayloadDigest(of: body)
        call.signedAt = signedAt
        call.expectedCodes = ["PreconditionFailed"]
        // With If-Match, S3 answers 404 when the object is gone.
        if case .ifMatch = condition { call.expectedCodes.insert("NoSuchKey") }
        let answer = try await connection.perform(call, deadline: deadline)
        if answer.refusal != nil { return .conditionFailed }
        // What answers anything with 200 has not stored a message. S3's own ETags are never weak.
        guard let etag = Self.etag(answer.answer), !etag.hasPrefix("W/") else {
            throw unexpected("PutObject", effect: .unknown, Self.successWithoutETag)
        }
        return .stored(etag: etag)
    }

    /// The object at a key, or `nil` where there is none.
    package func getObject(_ key: String, deadline: Duration? = nil) async throws(AWSError) -> S3Object? {
        var call = call("GetObject", .GET, key: key, isWrite: false)
        call.expectedCodes = ["NoSuchKey"]
        let answer = try await connection.perform(call, deadline: deadline)
        guard answer.refusal == nil else { return nil }
        guard Self.etag(answer.answer) != nil else {
            throw unexpected("GetObject", effect: .none, Self.successWithoutETag)
        }
        return S3Object(head: S3ObjectHead(answer.answer), body: answer.answer.body)
    }

    /// What is said of the object at a key, without its body; `nil` where there is none.
    ///
    /// A bucket that does not exist looks the same as a key that does not: HEAD has no room for the difference.
    package func headObject(_ key: String, deadline: Duration? = nil) async throws(AWSError) -> S3ObjectHead? {
        var call = call("HeadObject", .HEAD, key: key, isWrite: false)
        call.expectedCodes = ["NoSuchKey"]
        let answer = try await connection.perform(call, deadline: deadline)
        guard answer.refusal == nil else { return nil }
        guard Self.etag(answer.answer) != nil else {
            throw unexpected("HeadObject", effect: .none, Self.successWithoutETag)
        }
        return S3ObjectHead(answer.answer)
    }

    /// Deletes an object, if it is the one of that ETag where one is given; returns `false` where it is another.
    ///
    /// That there is nothing to delete is a success. Without `ifMatch` a retry may delete what came meanwhile.
    package func deleteObject(
        _ key: String, ifMatch etag: String? = nil, deadline: Duration? = nil
    ) async throws(AWSError) -> Bool {
        var call = call("DeleteObject", .DELETE, key: key, isWrite: true)
        if let etag { call.headers.append(("if-match", etag)) }
        call.expectedCodes = ["PreconditionFailed", "NoSuchKey"]
        let answer = try await connection.perform(call, deadline: deadline)
        if let refusal = answer.refusal { return refusal.code != "PreconditionFailed" }
        guard answer.answer.body.isEmpty else {
            throw unexpected("DeleteObject", effect: .unknown, "a success that has a body")
        }
        return true
    }

    func call(_ operation: String, _ method: HTTPMethod, key: String?, isWrite: Bool) -> AWSCall {
        var call = AWSCall(.s3, operation, on: .bucket(bucket), isWrite: isWrite)
        call.method = method
        call.key = key
        return call
    }

    func unexpected(_ operation: String, effect: StoreError.Effect, _ what: String) -> AWSError {
        AWSError(
            .unexpectedAnswer, effect: effect,
            "S3 answered \(operation) on the bucket '\(bucket)' with \(what). Something else may have answered, such as "
                + "a proxy: check AWS_ENDPOINT_URL and what stands in between.")
    }

    private static let successWithoutETag = "a success that has no ETag"

    private static func etag(_ answer: AWSTransportAnswer) -> String? {
        answer.headers.first(name: "etag").flatMap { $0.isEmpty ? nil : $0 }
    }
}
