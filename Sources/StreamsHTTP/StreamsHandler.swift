import HTTPTypes
package import StreamsCore
import StreamsAPI
package import StreamsModel

/// The HTTP API over a log: a request in, an answer out; it knows no server.
///
/// Never throws and never traps on what comes in: each failure is a problem document.
package struct StreamsHandler: Sendable {
    /// What the API needs to know beside the log.
    package struct Configuration: Sendable {
        /// Limits on requests.
        package var limits = Limits()
        /// The kind of store, for `/health`.
        package var storeName: String
        /// The version of the software, for `/health`.
        package var version: String
        /// Origins that browsers may call from; `*` stands for all.
        package var allowedOrigins = ["*"]
        /// The longest silence on an event stream.
        package var eventStreamHeartbeat: Duration = .seconds(15)
        /// Whether an event stream ends where there is nothing more to read, for fronts that collect answers whole.
        ///
        /// The browser then asks again after a second.
        package var endsEventStreams = false
        /// Most bytes of the messages in one answer, counted as `ReadPage.escapedBytes` does, for fronts that carry answers
        /// inside a JSON string; `nil` for no bound.
        ///
        /// One message comes however large it is. A page that is cut says so in `next_offset`, as one that `max_bytes`
        /// cuts.
        package var escapedPageBytes: Int?

        /// Makes settings.
        package init(storeName: String, version: String) {
            self.storeName = storeName
            self.version = version
        }
    }

    let log: Log
    let configuration: Configuration
    let metricsText: @Sendable () -> String
    private let crossOrigin: CrossOriginPolicy

    /// Makes the API; `metricsText` gives the answer of `/metrics`.
    package init(log: Log, configuration: Configuration, metricsText: @escaping @Sendable () -> String = { "" }) {
        self.log = log
        self.configuration = configuration
        self.metricsText = metricsText
        self.crossOrigin = CrossOriginPolicy(allowedOrigins: configuration.allowedOrigins)
    }

    /// The largest body that a front may collect, in bytes; it refuses more with ``tooLarge(_:)``.
    package var bodyBytesMaximum: Int { configuration.limits.requestBodyBytes }

    /// Answers a request.
    package func respond(to request: APIRequest) async -> APIResponse {
        var response: APIResponse
        var label = "other"
        do throws(StreamsError) {
            response = try await answer(request, &label)
        } catch {
            response = .problem(error)
        }
        response.routeLabel = label
        crossOrigin.apply(to: &response, origin: request.headers[.origin])
        return response
    }

    /// The answer to a request whose body is larger than ``bodyBytesMaximum``, to be given without reading it.
    package func tooLarge(_ request: APIRequest) -> APIResponse {
        refuse(
            request,
            .tooLarge(
                limit: "request_body", value: bodyBytesMaximum,
                "A request body has at most \(bodyBytesMaximum) bytes; send less at once."))
    }

    /// The answer to a request that the front refuses by itself.
    package func refuse(_ request: APIRequest, _ error: StreamsError) -> APIResponse {
        var response = APIResponse.problem(error)
        crossOrigin.apply(to: &response, origin: request.headers[.origin])
        return response
    }

    private func answer(_ request: APIRequest, _ label: inout String) async throws(StreamsError) -> APIResponse {
        let target = try RequestTarget(request.target)
        let route = try Route(target.path)
        label = route.label
        if request.method == .options { return crossOrigin.preflight(methods: route.methods) }
        let method = request.method == .head ? .get : request.method
        guard route.methods.contains(method) else {
            let allow = (route.methods.contains(.get) ? route.methods + [.head] : route.methods) + [.options]
            throw StreamsError(.methodNotAllowed, "This path takes \(allow.map(\.rawValue).joined(separator: ", ")).") {
                $0.allow = allow.map(\.rawValue)
            }
        }
        try crossOrigin.check(method, origin: request.headers[.origin])
        var query = try QueryParameters(target.query)
        return try await perform(route, method, request, &query)
    }

    private func perform(
        _ route: Route, _ method: HTTPRequest.Method, _ request: APIRequest, _ query: inout QueryParameters
    ) async throws(StreamsError) -> APIResponse {
        switch route {
        case .produce(let topic):
            try query.finish()
            return try await produce(request, to: topic)
        case .consume(let topic):
            return try await consume(request, from: topic, &query)
        case .groups(let route):
            return try await group(route, method, request, &query)
        case .fence(let topic):
            try query.finish()
            return try await fence(topic, request)
        case .topics:
            return try await topics(&query)
        case .topic(let topic) where method == .put:
            try query.finish()
            return try await createTopic(topic, request)
        case .topic(let topic) where method == .delete:
            try query.finish()
            return try await deleteTopic(topic, request)
        case .topic(let topic):
            try query.finish()
            return try await topicInfo(topic)
        case .trim(let topic):
            try query.finish()
            return try await trim(topic, request)
        case .branches(let topic):
            try query.finish()
            return try await createBranch(of: topic, request)
        case .health:
            try query.finish()
            return await health()
        case .metrics:
            try query.finish()
            return APIResponse(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .bytes(Array(metricsText().utf8)))
        case .root:
            try query.finish()
            return greeting()
        }
    }
}
