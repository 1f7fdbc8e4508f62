import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import StreamsAPI
package import StreamsModel

/// What is changed of topics.
extension StreamsClient {
    /// Drops the messages below an offset; returns the earliest offset then, which never goes back.
    package func trim(_ topic: TopicName, before offset: Int64) async throws(StreamsError) -> Int64 {
        struct Answer: Decodable {
            var earliest_offset: Int64
        }
        var body = JSONObjectWriter()
        body.member("before", offset)
        let answer = try await change(.POST, "/topics/\(topic)/trim", body.finish())
        return try decode(Answer.self, from: answer).earliest_offset
    }

    /// Deletes a topic with its messages.
    package func delete(_ topic: TopicName) async throws(StreamsError) {
        _ = try await change(.DELETE, "/topics/\(topic)", nil)
    }

    /// A bound on what is kept of a topic.
    package enum Bound: Sendable, Equatable {
        /// At most so much: milliseconds, or bytes.
        case atMost(Int64)
        /// None of the topic's own.
        case none
    }

    /// Sets what is kept of a topic, and creates it where it does not exist; `nil` leaves a bound as it is.
    package func retain(_ topic: TopicName, age: Bound?, bytes: Bound?) async throws(StreamsError) -> Topic {
        var body = JSONObjectWriter()
        for (name, bound) in [("retention_ms", age), ("retention_bytes", bytes)] {
            switch bound {
            case .atMost(let value): body.member(name, value)
            case Bound.none?: body.member(name, json: Array("null".utf8))
            case nil: break
            }
        }
        return try decode(Topic.self, from: try await change(.PUT, "/topics/\(topic)", body.finish()))
    }

    /// Creates a topic that reads as another one below an offset, by default its end.
    package func branch(
        _ topic: TopicName, to name: TopicName, at offset: Int64?
    ) async throws(StreamsError) -> Topic {
        var body = JSONObjectWriter()
        body.member("topic", name.rawValue)
        if let offset { body.member("offset", offset) }
        return try decode(Topic.self, from: try await change(.POST, "/topics/\(topic)/branches", body.finish()))
    }

    private func change(
        _ method: HTTPMethod, _ path: String, _ body: [UInt8]?
    ) async throws(StreamsError) -> [UInt8] {
        var request = HTTPClientRequest(url: url(path))
        request.method = method
        if let body {
            request.headers.add(name: "Content-Type", value: MediaType.json.rawValue)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        return try await send(request, timeout: .seconds(30), isWrite: true).body
    }
}
