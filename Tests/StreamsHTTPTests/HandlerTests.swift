import HTTPTypes
import Logging
import StreamsCore
import StreamsHTTP
import StreamsModel
import StreamsTesting
import Testing

@Suite("The HTTP API's handler")
struct HandlerTests {
    @Test("with a list of origins answers those alone, and says that answers differ")
    func answersAllowedOrigins() async throws {
        try await InProcessAPI.with { configuration in
            configuration.allowedOrigins = ["https://a.example", "https://b.example"]
        } _: { api in
            for target in ["/topics", "/none", "/topics/a/consume"] {
                for (origin, allowed) in [
                    ("https://a.example", "https://a.example"), ("https://b.example", "https://b.example"),
                    ("https://c.example", nil), ("https://a.example.com", nil), ("null", nil), (nil, nil),
                ] as [(String?, String?)] {
                    var request = APIRequest(method: .get, target: target)
                    request.headers[.origin] = origin
                    let answer = try await api.answer(request)
                    #expect(answer.headers[.accessControlAllowOrigin] == allowed)
                    #expect((answer.headers[.accessControlExposeHeaders] != nil) == (allowed != nil))
                    #expect(answer.headers[.vary] == "Origin")
                }
            }
        }
    }

    @Test("with a list of origins refuses the changes that pages elsewhere ask for, and no others")
    func refusesForeignChanges() async throws {
        try await InProcessAPI.with { configuration in
            configuration.allowedOrigins = ["https://a.example"]
        } _: { api in
            for (origin, status) in [
                ("https://a.example", 200), (nil, 200), ("https://c.example", 403), ("null", 403),
            ] as [(String?, Int)] {
                var request = APIRequest(
                    method: .post, target: "/topics/a/produce", body: Array(#"{"payload":1}"#.utf8))
                request.headers[.origin] = origin
                #expect(try await api.answer(request).status.code == status)
            }
            let page = try await api.answer(APIRequest(method: .get, target: "/topics/a"))
            #expect(String(decoding: page.body, as: UTF8.self).contains(#""end_offset":3"#))
        }
    }

    @Test("answers 503 with Retry-After, and nothing of the inside, when the store does not answer")
    func answersForBrokenStores() async throws {
        let store = BrokenStore()
        let log = Log(
            table: store, segments: store, time: SystemTime(), makeAppendID: { AppendID(high: 1, low: 2) },
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let handler = StreamsHandler(
            log: log, configuration: StreamsHandler.Configuration(storeName: "memory", version: "1"))
        for target in ["/health", "/topics", "/topics/a", "/topics/a/consume", "/topics/a/consume?wait=1"] {
            for accept in ["application/json", "text/event-stream"]
            where target.contains("consume") || accept.last == "n" {
                let response = await handler.respond(
                    to: APIRequest(method: .get, target: target, headers: [.accept: accept]))
                #expect(response.status == .serviceUnavailable)
                #expect(response.headers[.retryAfter] == "1")
                guard case .bytes(let body) = response.body else {
                    Issue.record("a problem is no stream")
                    continue
                }
                let text = String(decoding: body, as: UTF8.self)
                #expect(text.contains(#""code":"unavailable""#) && !text.contains("secret"), "\(text)")
            }
        }
    }

    @Test("names the route for metrics without what clients choose")
    func namesRoutes() async throws {
        try await InProcessAPI.with { api in
            for (target, label) in [
                ("/", "/"), ("/health", "/health"), ("/metrics", "/metrics"), ("/topics?x=1", "/topics"),
                ("/topics/a", "/topics/{topic}"), ("/v1/topics/a/consume?limit=0", "/topics/{topic}/consume"),
                ("/topics/a/produce", "/topics/{topic}/produce"), ("/topics/a%20b", "other"), ("/none/a", "other"),
                ("/%", "other"),
            ] {
                let response = await api.handler.respond(to: APIRequest(method: .get, target: target))
                #expect(response.routeLabel == label, "\(target)")
            }
        }
    }

    @Test("refuses to append after the log was closed, and lets readers read on")
    func refusesAfterClosing() async throws {
        try await InProcessAPI.with { api in
            let front = api.front
            try await front.produceNumbers(2)
            api.log.close()
            let refused = try await front.produce(#"{"payload":3}"#)
            #expect(refused.status == .serviceUnavailable && refused.headers[.retryAfter] == "1")
            try await front.get("/topics/orders/consume").expect(numbers: 1..<3, end: 3)
            try await front.get("/topics/orders/consume?offset=3&wait=20").expect(messages: "", next: 3, end: 3)
            let stream = APIRequest(
                method: .get, target: "/topics/orders/consume", headers: [.accept: "text/event-stream"])
            // Ends by itself.
            #expect(try await api.answer(stream).text.hasPrefix(": connected\n\nid: 1\n"))
        }
    }

    @Test("keeps a quiet stream of events alive with comments")
    func sendsHeartbeats() async throws {
        try await InProcessAPI.with {
            $0.eventStreamHeartbeat = .milliseconds(10)
        } _: { api in
            let request = APIRequest(
                method: .get, target: "/topics/orders/consume", headers: [.accept: "text/event-stream"])
            let answer = try await api.answer(request) {
                String(decoding: $0, as: UTF8.self).matches(of: #/: keep-alive\n\n/#).count == 3
            }
            #expect(answer.text == ": connected\n\n" + String(repeating: ": keep-alive\n\n", count: 3))
        }
    }

    @Test("ends a stream of events with a problem when its place is trimmed away")
    func endsTrimmedStreams() async throws {
        try await InProcessAPI.with {
            $0.eventStreamHeartbeat = .milliseconds(10)
        } _: { api in
            let front = api.front
            try await front.produceNumbers(1)
            let request = APIRequest(
                method: .get, target: "/topics/orders/consume", headers: [.accept: "text/event-stream"])
            let answer = try await api.answer(request) { received in
                let text = String(decoding: received, as: UTF8.self)
                if text.contains("id: 1\n"), !text.contains("event:") {
                    try await front.produceNumbers(3)
                    api.store.trim(try TopicName("orders"), before: Offset.first.advanced(by: 4))
                }
                return false
            }
            #expect(answer.text.contains("\nevent: problem\ndata: {\"type\":\"about:blank\",\"title\":\"Gone\""))
            #expect(answer.text.hasSuffix("}\n\n"))
        }
    }
}

/// A store that never answers.
private struct BrokenStore: Table, SegmentStore {
    private let failure = StoreError(.unavailable, effect: .none, "secret host 10.0.0.1 refused")

    var keysPerList: Int { 1000 }
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome { throw failure }
    func head(of topic: TopicName) async throws(StoreError) -> TopicHead? { throw failure }
    func create(_ topic: TopicName, at now: Timestamp) async throws(StoreError) -> Bool { throw failure }
    func topics(prefix: String, after: String, limit: Int) async throws(StoreError) -> [TopicName] { throw failure }
    func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome { throw failure }
    func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] { throw failure }
    func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        throw failure
    }
}
