import HTTPTypes
import StreamsHTTP
import Testing

/// Paths and methods, browsers on other origins, and what operators look at.
extension HTTPConformance {
    static var pathChecks: [Check] {
        [
            Check("a leading stage segment is ignored on every path, and so is a slash at the end") { front in
                try await front.produceNumbers(2)
                for stage in ["", "/v1", "/v2", "/v10", "/%761"] {
                    for slash in ["", "/"] {
                        try await front.get("\(stage)/topics/orders/consume\(slash)").expect(numbers: 1..<3, end: 3)
                        try await front.get("\(stage)/topics\(slash)?prefix=orders")
                            .expect(json: #"{"topics":[{"topic":"orders"}],"next_cursor":null}"#)
                        for path in ["/topics/orders", "/health", "/metrics"] {
                            #expect(try await front.get(stage + path + slash).status == .ok, "\(stage + path + slash)")
                        }
                        #expect(try await front.send(.put, "\(stage)/topics/orders\(slash)").status == .ok)
                    }
                    let answer = try await front.send(
                        .post, "\(stage)/topics/stage/produce/", body: #"{"payload":1}"#)
                    #expect(answer.status == .ok)
                    #expect(try await front.get("\(stage)/").status == .ok)
                }
            },
            Check("names may come percent-encoded") { front in
                try await front.send(.post, "/%74opics/%6f%72ders%2E1/produc%65", body: #"{"payload":1}"#)
                    .expect(json: #"{"topic":"orders.1","offset":1}"#)
                try await front.get("/topics/orders.1/consume").expect(numbers: 1..<2, end: 2)
            },
            Check("HEAD answers as GET, without a body") { front in
                try await front.produceNumbers(2)
                for path in ["/topics", "/topics/orders", "/topics/orders/consume", "/health", "/metrics", "/"] {
                    let get = try await front.get(path)
                    let head = try await front.send(.head, path)
                    #expect(head.status == get.status && head.body.isEmpty, "\(path)")
                    #expect(head.headers[.contentType] == get.headers[.contentType], "\(path)")
                    #expect(head.headers[.cacheControl] == get.headers[.cacheControl], "\(path)")
                }
                let lines = try await front.send(
                    .head, "/topics/orders/consume", headers: [.accept: "application/x-ndjson"])
                #expect(lines.headers[.nextOffset] == "3" && lines.headers[.endOffset] == "3")
                let events = try await front.send(
                    .head, "/topics/orders/consume", headers: [.accept: "text/event-stream"])
                #expect(events.status == .ok && events.headers[.contentType] == "text/event-stream")
                let missing = try await front.send(.head, "/topics/none")
                #expect(missing.status == .notFound && missing.body.isEmpty)
            },
        ]
    }

    static var crossOriginChecks: [Check] {
        [
            Check("OPTIONS tells the methods of every path, and what browsers may send") { front in
                for (path, allow) in [
                    ("/topics/orders/produce", "POST, OPTIONS"), ("/topics/orders/consume", "GET, HEAD, OPTIONS"),
                    ("/topics", "GET, HEAD, OPTIONS"), ("/topics/orders", "GET, PUT, DELETE, HEAD, OPTIONS"),
                    ("/health", "GET, HEAD, OPTIONS"), ("/metrics", "GET, HEAD, OPTIONS"), ("/", "GET, HEAD, OPTIONS"),
                    ("/v1/topics/orders/produce/?x=y", "POST, OPTIONS"),
                ] {
                    let answer = try await front.send(
                        .options, path,
                        headers: [.origin: "https://example.com", .accessControlRequestMethod: "POST"])
                    #expect(answer.status == .noContent && answer.body.isEmpty, "\(path)")
                    #expect(answer.headers[.allow] == allow, "\(path)")
                    let methods = answer.headers[.accessControlAllowMethods]
                    #expect(methods.map { $0 + ", OPTIONS" } == allow, "\(path)")
                    #expect(
                        answer.headers[.accessControlAllowHeaders]
                            == "Accept, Authorization, Content-Type, Idempotency-Key, Expected-Offset, Fencing-Token, "
                            + "Last-Event-ID, X-Api-Key")
                    #expect(answer.headers[.accessControlMaxAge] == "7200")
                }
                // Nothing came into being.
                try await front.get("/topics").expect(json: #"{"topics":[],"next_cursor":null}"#)
            },
            Check("answers to browsers carry the fields for other origins, errors and streams too") { front in
                try await front.produceNumbers(1)
                // HTTPFront.send looks at the fields of every answer; here with an origin.
                for path in ["/topics/orders/consume", "/topics/orders/consume?offset=0", "/none", "/topics/a%20b"] {
                    _ = try await front.send(.get, path, headers: [.origin: "https://example.com"])
                }
                let request = APIRequest(
                    method: .get, target: "/topics/orders/consume",
                    headers: [.accept: "text/event-stream", .origin: "https://example.com"])
                let events = try await front.openStream(request) { _ in true }
                #expect(events.headers[.accessControlAllowOrigin] == "*")
            },
        ]
    }

    static var serviceChecks: [Check] {
        [
            Check("health tells the version and the store") { front in
                let answer = try await front.get("/health")
                #expect(answer.status == .ok)
                #expect(answer.headers[.contentType] == "application/json")
                #expect(
                    answer.text.wholeMatch(of: /\{"status":"ok","version":"[^"]+","store":"(memory|sqlite|aws)"\}/)
                        != nil)
            },
            Check("metrics are Prometheus text") { front in
                let answer = try await front.get("/metrics")
                #expect(answer.status == .ok)
                #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            },
            Check("the root says what there is, as text") { front in
                let answer = try await front.get("/")
                #expect(answer.status == .ok)
                #expect(answer.headers[.contentType] == "text/plain; charset=utf-8")
                #expect(answer.text.contains("POST /topics/{topic}/produce"))
            },
        ]
    }
}
