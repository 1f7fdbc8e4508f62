import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
package import StreamsModel

/// Consumer groups.
///
/// A consumer whose ``receive(_:of:_:)`` had no answer names ``Generation/none`` in the next one: what was handed out to
/// nobody then comes again.
extension StreamsClient {
    /// A group as the server tells of it.
    package struct Group: Decodable, Sendable {
        /// Who holds a group.
        package struct Lease: Decodable, Sendable {
            /// The consumer, by the name that it gave itself.
            package var consumer: String
            /// Which lease it is.
            package var generation: Int64
        }

        /// Its name.
        package var group: String
        /// The next offset to process.
        package var committedOffset: Int64
        /// The log end offset of the topic; `nil` in answers to changes.
        package var endOffset: Int64?
        /// How many offsets are not committed.
        package var lag: Int64?
        /// The age of the oldest message that is not committed, in seconds.
        package var lagSeconds: Double?
        /// Who holds it; `nil` where nobody does.
        package var lease: Lease?

        enum CodingKeys: String, CodingKey {
            case group, lag, lease
            case committedOffset = "committed_offset"
            case endOffset = "end_offset"
            case lagSeconds = "lag_seconds"
        }
    }

    /// A page of groups.
    package struct GroupPage: Decodable, Sendable {
        /// The groups, in name order.
        package var groups: [Group]
        /// What to ask for the next page with; `nil` on the last one.
        package var nextCursor: String?

        enum CodingKeys: String, CodingKey {
            case groups
            case nextCursor = "next_cursor"
        }
    }

    /// What a consumer asks for.
    package struct Receive: Encodable, Sendable {
        /// Who it is, by a name that no other consumer of the group has.
        package var consumer: String
        /// The generation that it knows of.
        package var generation: Int64
        /// Most messages.
        package var limit: Int
        /// How many seconds to wait for a first one.
        package var wait: Int
        /// For how many seconds to take the lease.
        package var leaseSeconds: Int

        /// Makes a request.
        package init(consumer: String, generation: Int64, limit: Int, wait: Int, leaseSeconds: Int) {
            self.consumer = consumer
            self.generation = generation
            self.limit = limit
            self.wait = wait
            self.leaseSeconds = leaseSeconds
        }

        enum CodingKeys: String, CodingKey {
            case consumer, generation, limit, wait
            case leaseSeconds = "lease_seconds"
        }
    }

    /// What a consumer got.
    package struct Received: Sendable {
        /// The generation to commit under.
        package var generation: Int64
        /// Where it goes on: what to commit when all is done.
        package var nextOffset: Int64
        /// The answer as it came, with the messages in its member `messages`.
        package var document: [UInt8]
    }

    /// Groups of a topic.
    package func groups(of topic: TopicName, cursor: String?) async throws(StreamsError) -> GroupPage {
        var path = "/topics/\(topic)/groups?limit=100"
        if let cursor { path += "&cursor=\(PercentEncoding.encode(cursor))" }
        return try decode(GroupPage.self, from: try await call(.GET, path))
    }

    /// The state of a group.
    package func group(_ group: GroupName, of topic: TopicName) async throws(StreamsError) -> Group {
        try decode(Group.self, from: try await call(.GET, "/topics/\(topic)/groups/\(group)"))
    }

    /// Creates a group at a place unless it stands; the place is a JSON value.
    package func createGroup(
        _ group: GroupName, of topic: TopicName, start: Place
    ) async throws(StreamsError) -> Group {
        let body = #"{"start":\#(start.json)}"#
        return try decode(Group.self, from: try await call(.PUT, "/topics/\(topic)/groups/\(group)", body))
    }

    /// Deletes a group.
    package func deleteGroup(_ group: GroupName, of topic: TopicName) async throws(StreamsError) {
        _ = try await call(.DELETE, "/topics/\(topic)/groups/\(group)")
    }

    /// Sets a group to a place, and ends its lease.
    package func seek(_ group: GroupName, of topic: TopicName, to place: Place) async throws(StreamsError) -> Group {
        let body = #"{"offset":\#(place.json)}"#
        return try decode(Group.self, from: try await call(.POST, "/topics/\(topic)/groups/\(group)/seek", body))
    }

    /// Takes or renews the lease, and hands messages out.
    package func receive(
        _ group: GroupName, of topic: TopicName, _ request: Receive
    ) async throws(StreamsError) -> Received {
        struct Answer: Decodable {
            var generation: Int64
            var nextOffset: Int64

            enum CodingKeys: String, CodingKey {
                case generation
                case nextOffset = "next_offset"
            }
        }
        let document = try await call(
            .POST, "/topics/\(topic)/groups/\(group)/receive", try encode(request), wait: request.wait)
        let answer = try decode(Answer.self, from: document)
        return Received(generation: answer.generation, nextOffset: answer.nextOffset, document: document)
    }

    /// Commits: everything below the offset is done.
    package func ack(
        _ group: GroupName, of topic: TopicName, consumer: String, generation: Int64, offset: Int64
    ) async throws(StreamsError) -> Group {
        let body = try encode(Holder(consumer: consumer, generation: generation, offset: offset))
        return try decode(Group.self, from: try await call(.POST, "/topics/\(topic)/groups/\(group)/ack", body))
    }

    /// Gives the lease up.
    package func release(
        _ group: GroupName, of topic: TopicName, consumer: String, generation: Int64
    ) async throws(StreamsError) {
        let body = try encode(Holder(consumer: consumer, generation: generation))
        _ = try await call(.POST, "/topics/\(topic)/groups/\(group)/release", body)
    }

    /// A place in a topic, as people name it.
    package enum Place: Sendable, Equatable {
        /// The first message that is kept.
        case earliest
        /// After the last message.
        case latest
        /// This offset.
        case offset(Int64)

        /// Reads `earliest`, `latest` or a number; `nil` for anything else.
        package init?(_ text: String) {
            switch text {
            case "earliest": self = .earliest
            case "latest": self = .latest
            default:
                guard let offset = Int64(text), offset >= 1 else { return nil }
                self = .offset(offset)
            }
        }

        fileprivate var json: String {
            switch self {
            case .earliest: #""earliest""#
            case .latest: #""latest""#
            case .offset(let offset): String(offset)
            }
        }
    }

    private struct Holder: Encodable {
        var consumer: String
        var generation: Int64
        var offset: Int64?
    }

    private func encode(_ value: some Encodable) throws(StreamsError) -> String {
        do {
            return String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        } catch {
            throw StreamsError(.internal, "The request can not be written as JSON: \(error).")
        }
    }

    private func call(
        _ method: HTTPMethod, _ path: String, _ body: String? = nil, wait: Int = 0
    ) async throws(StreamsError) -> [UInt8] {
        var request = HTTPClientRequest(url: baseURL + path)
        request.method = method
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        return try await send(request, timeout: .seconds(30 + Int64(wait)), isWrite: method != .GET).body
    }
}
