package import HTTPTypes
import StreamsAPI
package import StreamsModel

/// An answer as every front sends it out.
package struct APIResponse: Sendable {
    /// The bytes after the head.
    package enum Body: Sendable {
        /// All of them at once. A front answers HEAD with their number alone.
        case bytes([UInt8])
        /// A stream of unknown length that the front runs; it ends when the closure returns, or when writing throws
        /// because the client is gone.
        case stream(@Sendable (any ResponseSink) async throws -> Void)
    }

    /// The status.
    package var status: HTTPResponse.Status
    /// The header fields, `Content-Length` aside.
    package var headers: HTTPFields
    /// The body.
    package var body: Body
    /// The route that answered, for metrics; free of what clients choose.
    package var routeLabel = "other"

    /// Makes an answer.
    package init(status: HTTPResponse.Status, headers: HTTPFields = HTTPFields(), body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer of one JSON document.
    package static func json(_ document: [UInt8], status: HTTPResponse.Status = .ok) -> APIResponse {
        APIResponse(status: status, headers: [.contentType: MediaType.json.rawValue], body: .bytes(document))
    }

    /// The answer that reports an error.
    package static func problem(_ error: StreamsError) -> APIResponse {
        var response = APIResponse(
            status: error.code.status, headers: [.contentType: ProblemDocument.mediaType],
            body: .bytes(ProblemDocument.encode(error)))
        if let retryAfter = error.context.retryAfter {
            let seconds = max(1, (retryAfter.wholeMilliseconds + 999) / 1000)
            response.headers[.retryAfter] = String(seconds)
        }
        if let allow = error.context.allow { response.headers[.allow] = allow.joined(separator: ", ") }
        return response
    }
}

/// Where the bytes of a streamed answer go.
package protocol ResponseSink: Sendable {
    /// Sends bytes; returns when the transport took them, so that a slow client slows its own stream only.
    ///
    /// - Throws: when the client is gone.
    func write(_ bytes: [UInt8]) async throws
}
