import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `PUT /topics/{topic}/fence`: sets the token that appends must carry.
    func fence(_ topic: TopicName, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        let current = try request.headers.fencingToken()
        var body = try JSONObjectReader(request.body, limits: configuration.limits)
        guard body.has("token") else {
            throw .invalidParameter("token", "'token' is the new fencing token, or null to take it away.")
        }
        var token: FencingToken?
        if let text = try body.text("token", isNullable: true) {
            token = try FencingToken(text, parameter: "token")
        }
        try body.finish()
        return .json(Self.document(try await log.fence(topic, token: token, current: current)))
    }
}
