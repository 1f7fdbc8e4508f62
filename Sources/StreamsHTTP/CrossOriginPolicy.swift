import HTTPTypes
import StreamsModel

/// What browsers on other origins may do (Fetch standard, "HTTP CORS protocol").
struct CrossOriginPolicy: Sendable {
    private let allowedOrigins: Set<String>
    private let allowsAll: Bool

    init(allowedOrigins: [String]) {
        self.allowedOrigins = Set(allowedOrigins)
        self.allowsAll = allowedOrigins.contains("*")
    }

    /// Refuses a change that a page on a foreign origin asks for.
    ///
    /// Browsers send some requests without asking first, and then only keep the answer from the page: the change would
    /// be made all the same. Callers that are no browsers name no origin.
    func check(_ method: HTTPRequest.Method, origin: String?) throws(StreamsError) {
        guard let origin, !allowsAll, !allowedOrigins.contains(origin), method != .get, method != .head else { return }
        throw StreamsError(.forbidden, "Pages on \(origin.prefix(100)) may not change anything here.")
    }

    /// The answer to a preflight request.
    func preflight(methods: [HTTPRequest.Method]) -> APIResponse {
        let methods = methods.contains(.get) ? methods + [.head] : methods
        return APIResponse(
            status: .noContent,
            headers: [
                .allow: (methods + [.options]).map(\.rawValue).joined(separator: ", "),
                .accessControlAllowMethods: methods.map(\.rawValue).joined(separator: ", "),
                .accessControlAllowHeaders:
                    "Accept, Authorization, Content-Type, Idempotency-Key, Expected-Offset, Fencing-Token, "
                    + "Last-Event-ID, X-Api-Key",
                .accessControlMaxAge: "7200",
            ])
    }

    /// Adds the fields that let the page at `origin` read the answer.
    func apply(to response: inout APIResponse, origin: String?) {
        if allowsAll {
            response.headers[.accessControlAllowOrigin] = "*"
        } else {
            response.headers[.vary] = "Origin"
            guard let origin, allowedOrigins.contains(origin) else { return }
            response.headers[.accessControlAllowOrigin] = origin
        }
        response.headers[.accessControlExposeHeaders] =
            "Next-Offset, End-Offset, Idempotency-Replayed, Retry-After, ETag"
    }
}
