import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import StreamsAPI
package import StreamsModel

/// A client of the HTTP API.
///
/// It says what it knows of a failure and leaves retries to its caller: ``StreamsError/code`` tells whether the same
/// request may be repeated.
package struct StreamsClient: Sendable {
    let baseURL: String

    /// One for the process: it is never shut down.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        // A server that is not there is reported at once, not tried again until the request's time is up.
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// The largest answer it collects, in bytes.
    private static let answerBytesMaximum = 64 * 1024 * 1024

    /// Makes a client for the server at `url`, such as `http://127.0.0.1:9000`.
    package init(url: String) {
        self.baseURL = String(url.trimmingSuffix("/"))
    }

    /// What a produce request came to.
    package struct ProduceReceipt: Decodable, Sendable {
        /// The offset of the first message.
        package var offset: Int64
        /// The offset of the last one.
        package var lastOffset: Int64
        /// How many there are.
        package var count: Int
        /// Whether they were written by an earlier request with the same idempotency key.
        package var isReplay = false

        enum CodingKeys: String, CodingKey {
            case offset, count
            case lastOffset = "last_offset"
        }
    }

    /// What a produce request asks for beside its messages.
    package struct ProduceConditions: Sendable {
        /// Makes the request recognisable, so that it can be repeated whatever became of it.
        package var idempotencyKey: IdempotencyKey?
        /// The offset that the first message must get.
        package var expectedOffset: Offset?
        /// The token that must be the topic's.
        package var fencingToken: FencingToken?

        /// Makes conditions; none where nothing is given.
        package init(
            idempotencyKey: IdempotencyKey? = nil, expectedOffset: Offset? = nil, fencingToken: FencingToken? = nil
        ) {
            self.idempotencyKey = idempotencyKey
            self.expectedOffset = expectedOffset
            self.fencingToken = fencingToken
        }
    }

    /// Appends payloads, one JSON value a line, all or none.
    ///
    /// - Throws: the server's error; `unavailable` when no server could be reached, `outcome_unknown` when the
    ///   connection broke before the answer; where a condition does not hold `offset_mismatch`, `fenced`,
    ///   `idempotency_key_reused` or `idempotency_key_expired`.
    package func produce(
        lines: [UInt8], to topic: TopicName, conditions: ProduceConditions = ProduceConditions()
    ) async throws(StreamsError) -> ProduceReceipt {
        var request = HTTPClientRequest(url: "\(baseURL)/topics/\(topic)/produce")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: MediaType.ndjson.rawValue)
        if let key = conditions.idempotencyKey { request.headers.add(name: "Idempotency-Key", value: key.rawValue) }
        if let offset = conditions.expectedOffset {
            request.headers.add(name: "Expected-Offset", value: String(offset.rawValue))
        }
        if let token = conditions.fencingToken { request.headers.add(name: "Fencing-Token", value: token.rawValue) }
        request.body = .bytes(ByteBuffer(bytes: lines))
        let answer = try await send(request, timeout: .seconds(30), isWrite: true)
        var receipt = try decode(ProduceReceipt.self, from: answer.body)
        receipt.isReplay = answer.headers.first(name: "Idempotency-Replayed") == "true"
        return receipt
    }

    /// A run of messages, as the lines of the NDJSON answer.
    package struct Lines: Sendable {
        /// The messages, one JSON object a line, each line ending in `\n`.
        package var bytes: [UInt8]
        /// Where to go on.
        package var nextOffset: Int64
        /// The log end offset.
        package var endOffset: Int64
    }

    /// Reads messages; `query` holds the parameters of the consume request.
    package func consume(
        _ topic: TopicName, query: [(name: String, value: String)], wait: Duration = .zero
    ) async throws(StreamsError) -> Lines {
        let text = query.map { "\($0.name)=\(PercentEncoding.encode($0.value))" }.joined(separator: "&")
        var request = HTTPClientRequest(url: "\(baseURL)/topics/\(topic)/consume?\(text)")
        request.headers.add(name: "Accept", value: MediaType.ndjson.rawValue)
        let timeout = TimeAmount.seconds(30) + .milliseconds(wait.wholeMilliseconds)
        let answer = try await send(request, timeout: timeout, isWrite: false)
        guard let next = answer.headers.first(name: "Next-Offset").flatMap({ Int64($0) }),
            let end = answer.headers.first(name: "End-Offset").flatMap({ Int64($0) })
        else { throw Self.foreignAnswer(baseURL) }
        return Lines(bytes: answer.body, nextOffset: next, endOffset: end)
    }

    /// A page of topic names.
    package struct TopicPage: Decodable, Sendable {
        /// One topic of a page.
        package struct Item: Decodable, Sendable {
            /// The topic's name.
            package var topic: String
        }

        /// The topics, in name order.
        package var topics: [Item]
        /// What to ask for the next page with; `nil` on the last one.
        package var nextCursor: String?

        enum CodingKeys: String, CodingKey {
            case topics
            case nextCursor = "next_cursor"
        }
    }

    /// Lists topics.
    package func topics(prefix: String, cursor: String?) async throws(StreamsError) -> TopicPage {
        var url = "\(baseURL)/topics?limit=1000&prefix=\(PercentEncoding.encode(prefix))"
        if let cursor { url += "&cursor=\(PercentEncoding.encode(cursor))" }
        let answer = try await send(HTTPClientRequest(url: url), timeout: .seconds(30), isWrite: false)
        return try decode(TopicPage.self, from: answer.body)
    }

    /// The state of a topic.
    package struct Topic: Decodable, Sendable {
        /// The first offset that is kept.
        package var earliestOffset: Int64
        /// The log end offset.
        package var endOffset: Int64
        /// The topic that it branched from, and where; `nil` where it is no branch.
        package var branchOf: BranchPoint?
        /// How long its messages are kept at most, in milliseconds; `nil` for as long as others.
        package var retentionMilliseconds: Int64?
        /// How many bytes of its messages are kept at most; `nil` for all.
        package var retentionBytes: Int64?

        /// Where a branch left its parent.
        package struct BranchPoint: Decodable, Sendable {
            /// The parent's name.
            package var topic: String
            /// The first offset of the branch's own.
            package var offset: Int64
        }
        /// Whether appends need a fencing token.
        package var fenced: Bool

        enum CodingKeys: String, CodingKey {
            case fenced
            case earliestOffset = "earliest_offset"
            case endOffset = "end_offset"
            case branchOf = "branch_of"
            case retentionMilliseconds = "retention_ms"
            case retentionBytes = "retention_bytes"
        }
    }

    /// Asks for the state of a topic.
    package func topic(_ topic: TopicName) async throws(StreamsError) -> Topic {
        let request = HTTPClientRequest(url: "\(baseURL)/topics/\(topic)")
        return try decode(Topic.self, from: try await send(request, timeout: .seconds(30), isWrite: false).body)
    }
}

extension StreamsClient {
    /// The address of a path of the server.
    func url(_ path: String) -> String { baseURL + path }

    /// Sends a request; what is not a success is thrown.
    func send(
        _ request: HTTPClientRequest, timeout: TimeAmount, isWrite: Bool
    ) async throws(StreamsError) -> (headers: HTTPHeaders, body: [UInt8]) {
        let response: HTTPClientResponse
        let body: [UInt8]
        do {
            response = try await Self.http.execute(request, timeout: timeout)
            body = Array(buffer: try await response.body.collect(upTo: Self.answerBytesMaximum))
        } catch {
            throw Self.failure(error, baseURL, isWrite: isWrite)
        }
        guard (200..<300).contains(response.status.code) else { throw Self.problem(body, response.status, baseURL) }
        return (response.headers, body)
    }

    /// Reads an answer.
    func decode<Value: Decodable>(_ type: Value.Type, from body: [UInt8]) throws(StreamsError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(body))
        } catch {
            throw Self.foreignAnswer(baseURL)
        }
    }

    private static func failure(_ error: any Error, _ url: String, isWrite: Bool) -> StreamsError {
        let neverSent =
            error is NIOConnectionError || (error as? HTTPClientError) == .connectTimeout
            || (error as? IOError)?.errnoCode == ECONNREFUSED
        if neverSent {
            return StreamsError(
                .unavailable, "No server answers at \(url); start one with 'streams serve', or name another by --url.")
        }
        if error is CancellationError { return StreamsError(.unavailable, "Cancelled.") }
        return StreamsError(isWrite ? .outcomeUnknown : .unavailable, "The connection to \(url) failed: \(error).")
    }

    private static func problem(_ body: [UInt8], _ status: HTTPResponseStatus, _ url: String) -> StreamsError {
        guard let problem = try? JSONDecoder().decode(Problem.self, from: Data(body)),
            let code = ErrorCode(rawValue: problem.code)
        else {
            return StreamsError(.internal, "\(url) answered \(status.code) \(status.reasonPhrase).")
        }
        return StreamsError(code, problem.detail) { context in
            context.position = problem.position
            context.parameter = problem.parameter
            context.earliestOffset = problem.earliestOffset.flatMap { Offset($0) }
            context.endOffset = problem.endOffset.flatMap { Offset($0) }
            context.expiresAt = problem.expiresAt.map { Timestamp(milliseconds: $0) }
        }
    }

    private static func foreignAnswer(_ url: String) -> StreamsError {
        StreamsError(.internal, "\(url) does not answer as a Serverless Streams server does.")
    }
}

/// The members of a problem document that the client makes use of.
private struct Problem: Decodable {
    var code: String
    var detail: String
    var position: Int?
    var parameter: String?
    var earliestOffset: Int64?
    var endOffset: Int64?
    var expiresAt: Int64?

    enum CodingKeys: String, CodingKey {
        case code, detail, position, parameter
        case earliestOffset = "earliest_offset"
        case endOffset = "end_offset"
        case expiresAt = "expires_at"
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> Substring {
        hasSuffix(suffix) ? dropLast(suffix.count) : self[...]
    }
}
