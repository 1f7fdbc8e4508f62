import HTTPTypes

/// What browsers on other origins may do (Fetch standard, "HTTP CORS protocol").
struct CrossOriginPolicy: Sendable {
    private let allowedOrigins: Set<String>
    private let allowsAll: Bool

    init(allowedOrigins: [String]) {
        self.allowedOrigins = Set(allowedOrigins)
        self.allowsAll = allowedOrigins.contains("*")
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
