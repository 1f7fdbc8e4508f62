import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `DELETE /topics/{topic}`: deletes a topic with its messages.
    func deleteTopic(_ topic: TopicName, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        try expectNoBody(request)
        try await log.delete(topic)
        return APIResponse(status: .noContent)
    }

    /// `POST /topics/{topic}/trim`: drops what lies below an offset.
    func trim(_ topic: TopicName, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        var reader = try JSONObjectReader(request.body, limits: configuration.limits)
        let before = try reader.integer("before", in: 1...Int64.max)
        try reader.finish()
        guard let offset = before.flatMap({ Offset($0) }) else {
            throw .invalidParameter("before", "Name the first offset to keep as 'before'.")
        }
        var writer = JSONObjectWriter()
        writer.member("earliest_offset", try await log.trim(topic, before: offset).rawValue)
        return .json(writer.finish())
    }

    /// `POST /topics/{topic}/branches`: creates a topic that reads as this one below an offset.
    func createBranch(of topic: TopicName, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        var reader = try JSONObjectReader(request.body, limits: configuration.limits)
        let name = try reader.text("topic")
        let offset = try reader.integer("offset", in: 1...Int64.max)
        try reader.finish()
        guard let name else { throw .invalidParameter("topic", "Name the new topic as 'topic'.") }
        let info = try await log.createBranch(
            try TopicName(name), of: topic, at: offset.flatMap { Offset($0) })
        return .json(Self.document(info), status: .created)
    }
}
