import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `GET /topics`: the topics in name order.
    func topics(_ query: inout QueryParameters) async throws(StreamsError) -> APIResponse {
        let limit = try query.integer("limit", in: 1...1000) ?? 100
        let prefix = query.text("prefix") ?? ""
        guard prefix.isEmpty || (try? TopicName(prefix)) != nil || prefix == "." || prefix == ".." else {
            throw .invalidParameter("prefix", "'prefix' is the beginning of a topic name.")
        }
        let cursor = query.text("cursor") ?? ""
        guard cursor.isEmpty || (try? TopicName(cursor)) != nil else {
            throw .invalidParameter("cursor", "'cursor' is the next_cursor of an earlier answer.")
        }
        try query.finish()
        let (names, hasMore) = try await log.topics(prefix: prefix, after: cursor, limit: limit)
        let items = names.map { #"{"topic":"\#($0)"}"# }.joined(separator: ",")
        var writer = JSONObjectWriter()
        writer.member("topics", json: Array("[\(items)]".utf8))
        if hasMore, let last = names.last {
            writer.member("next_cursor", last.rawValue)
        } else {
            writer.member("next_cursor", json: Array("null".utf8))
        }
        return .json(writer.finish())
    }

    /// `GET /topics/{topic}`: the state of a topic.
    func topicInfo(_ topic: TopicName) async throws(StreamsError) -> APIResponse {
        .json(Self.document(try await log.info(of: topic)))
    }

    /// `PUT /topics/{topic}`: creates a topic, empty.
    func createTopic(_ topic: TopicName, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        guard request.body.isEmpty else {
            throw .invalidParameter("body", "Creating a topic takes no body yet.")
        }
        let isNew = try await log.create(topic)
        return .json(Self.document(try await log.info(of: topic)), status: isNew ? .created : .ok)
    }

    /// What is told of a topic.
    static func document(_ info: TopicInfo) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.member("topic", info.topic.rawValue)
        writer.member("earliest_offset", info.earliest.rawValue)
        writer.member("end_offset", info.end.rawValue)
        writer.member("created_at", info.createdAt.milliseconds)
        writer.member("updated_at", info.updatedAt.milliseconds)
        writer.member("fenced", info.isFenced)
        return writer.finish()
    }
}
