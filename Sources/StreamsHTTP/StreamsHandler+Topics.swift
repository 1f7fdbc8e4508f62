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

    /// `PUT /topics/{topic}`: creates a topic, empty, and sets what is kept of it.
    func createTopic(_ topic: TopicName, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        let change = try Self.settingsChange(request.body, configuration.limits)
        let isNew = try await log.create(topic)
        if !change.isEmpty { try await log.change(topic, change) }
        return .json(Self.document(try await log.info(of: topic)), status: isNew ? .created : .ok)
    }

    private static func settingsChange(
        _ body: [UInt8], _ limits: Limits
    ) throws(StreamsError) -> TopicSettingsChange {
        var reader = try JSONObjectReader(body, isOptional: true, limits: limits)
        var change = TopicSettingsChange()
        let bounds = 1...TopicSettings.maximum
        if reader.has("retention_ms") {
            change.retentionMilliseconds = .some(try reader.integer("retention_ms", in: bounds, isNullable: true))
        }
        if reader.has("retention_bytes") {
            change.retentionBytes = .some(try reader.integer("retention_bytes", in: bounds, isNullable: true))
        }
        try reader.finish()
        return change
    }

    /// The state of a topic as JSON.
    static func document(_ info: TopicInfo) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.member("topic", info.topic.rawValue)
        writer.member("earliest_offset", info.earliest.rawValue)
        writer.member("end_offset", info.end.rawValue)
        writer.member("created_at", info.createdAt.milliseconds)
        writer.member("updated_at", info.updatedAt.milliseconds)
        if let branch = info.branch {
            var point = JSONObjectWriter()
            point.member("topic", branch.parent.rawValue)
            point.member("offset", branch.fork.rawValue)
            writer.member("branch_of", json: point.finish())
        }
        if let age = info.settings.retentionMilliseconds { writer.member("retention_ms", age) }
        if let bytes = info.settings.retentionBytes { writer.member("retention_bytes", bytes) }
        writer.member("fenced", info.isFenced)
        return writer.finish()
    }
}
