import StreamsTesting
import Testing

@Suite("The metrics of the server")
struct RequestMetricsTests {
    @Test("counts the requests of the server by route and status")
    func countsRequests() async throws {
        try await RunningServer.with { server in
            let front = server.front
            try await front.produceNumbers(1)
            for _ in 1...3 { _ = try await front.get("/topics/orders/consume?offset=0") }
            _ = try await front.get("/none")
            let text = try await front.get("/metrics").text
            #expect(text.contains(#"streams_http_requests_total{route="/topics/{topic}/produce",status="200"} 1"#))
            #expect(text.contains(#"streams_http_requests_total{route="/topics/{topic}/consume",status="400"} 3"#))
            #expect(text.contains(#"streams_http_requests_total{route="other",status="404"} 1"#))
            #expect(text.contains(#"streams_http_request_duration_seconds_count{route="/topics/{topic}/consume"} 3"#))
        }
    }
}
