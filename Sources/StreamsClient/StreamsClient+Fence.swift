import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import StreamsAPI
package import StreamsModel

extension StreamsClient {
    /// Sets the token that appends to a topic must carry, or lets all append again (`nil`).
    ///
    /// No append with another token begins to succeed after it has returned. Who has read up to the end offset that it
    /// returns has seen the last of those that were under way.
    /// With `current` the token is set only if the topic's present one is that.
    /// - Throws: `topic_not_found`, `fenced`, `unavailable`, `outcome_unknown`.
    package func fence(
        _ topic: TopicName, token: FencingToken?, current: FencingToken? = nil
    ) async throws(StreamsError) -> Topic {
        var request = HTTPClientRequest(url: "\(baseURL)/topics/\(topic)/fence")
        request.method = .PUT
        if let current { request.headers.add(name: "Fencing-Token", value: current.rawValue) }
        var body = JSONObjectWriter()
        if let token {
            body.member("token", token.rawValue)
        } else {
            body.member("token", json: Array("null".utf8))
        }
        request.headers.add(name: "Content-Type", value: MediaType.json.rawValue)
        request.body = .bytes(ByteBuffer(bytes: body.finish()))
        return try decode(Topic.self, from: try await send(request, timeout: .seconds(30), isWrite: true).body)
    }
}
