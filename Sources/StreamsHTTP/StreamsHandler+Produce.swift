import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `POST /topics/{topic}/produce`: appends messages.
    func produce(_ request: APIRequest, to topic: TopicName) async throws(StreamsError) -> APIResponse {
        try refuseUnknownConditions(of: request)
        let mediaType = try mediaType(of: request)
        let body = try ProduceBody(request.body, mediaType: mediaType, limits: configuration.limits)
        let receipt = try await log.append(body.batch, to: topic)
        var writer = JSONObjectWriter()
        writer.member("topic", topic.rawValue)
        writer.member("offset", receipt.range.lowerBound.rawValue)
        if !body.isSingle {
            writer.member("last_offset", receipt.range.last.rawValue)
            writer.member("count", receipt.range.offsetCount)
        }
        return .json(writer.finish())
    }

    /// Refuses the conditions that later versions will know: to append in spite of one would be a false success.
    private func refuseUnknownConditions(of request: APIRequest) throws(StreamsError) {
        for name in ["Idempotency-Key", "Expected-Offset", "Fencing-Token"] {
            guard let field = HTTPField.Name(name), request.headers.contains(field) else { continue }
            throw .invalidParameter(name, "This version does not know the header '\(name)' yet; send none.")
        }
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
