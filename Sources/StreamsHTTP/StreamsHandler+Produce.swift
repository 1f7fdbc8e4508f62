import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `POST /topics/{topic}/produce`: appends messages.
    func produce(_ request: APIRequest, to topic: TopicName) async throws(StreamsError) -> APIResponse {
        let mediaType = try mediaType(of: request)
        let conditions = try AppendConditions(request.headers, body: request.body, mediaType: mediaType.rawValue)
        let body = try ProduceBody(request.body, mediaType: mediaType, limits: configuration.limits)
        let receipt = try await log.append(body.batch, to: topic, conditions: conditions)
        var writer = JSONObjectWriter()
        writer.member("topic", topic.rawValue)
        writer.member("offset", receipt.range.lowerBound.rawValue)
        if !body.isSingle {
            writer.member("last_offset", receipt.range.last.rawValue)
            writer.member("count", receipt.range.offsetCount)
        }
        var response = APIResponse.json(writer.finish())
        if receipt.isReplay, let replayed = HTTPField.Name.idempotencyReplayed { response.headers[replayed] = "true" }
        return response
    }

    private func mediaType(of request: APIRequest) throws(StreamsError) -> MediaType {
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw StreamsError(.unsupportedMediaType, "Send the body as it is, without Content-Encoding.")
        }
        guard let contentType = request.headers[.contentType] else { return .json }
        guard let mediaType = MediaType(contentType: contentType), mediaType != .eventStream else {
            throw StreamsError(
                .unsupportedMediaType,
                "Send 'Content-Type: application/json' or 'application/x-ndjson' (curl: --json, or -H), "
                    + "not '\(contentType)'.")
        }
        return mediaType
    }
}
