import HTTPTypes

/// What is wrong before the body: paths, methods, parameters, header fields.
extension HTTPRefusal {
    /// Paths that are not there, and names that are none.
    static var paths: [HTTPRefusal] {
        let missing = [
            "/none", "/topics/orders/none", "/topics/orders/produce/none", "/topics/orders/consume/1", "/Topics",
            "/health/none", "/v1/v2/topics", "/v/topics", "/v1a/topics", "/V1/topics", "//topics", "/topics%2Forders",
            "/topics/orders/consume%2F", "/%", "/topics/%zz", "/topics/%2", "/topics/%c3%28", "/topics/%ff",
            "/topics/orders/groups/g/none", "/topics/orders/groups/g/receive/1", "/favicon.ico",
        ]
        let names = [
            "%20", "a%20b", "a%2Fb", "%C3%A9", "%F0%9F%98%80", "a%00", "a+b", "a:b", "a~", "a%25", ".", "..", "%2E",
            "%2e%2E", String(repeating: "x", count: 250), "",
        ]
        return missing.map { HTTPRefusal(.get, $0, ExpectedProblem(404, "not_found")) }
            + names.map { HTTPRefusal(.get, "/topics/\($0)/consume", invalidTopic) }
            + [
                HTTPRefusal(.get, "/topics/a%20b", invalidTopic), HTTPRefusal(.put, "/topics/a%20b", invalidTopic),
                HTTPRefusal(.post, "/topics/a%20b/produce", invalidTopic),
                HTTPRefusal(.get, "/topics//", invalidTopic),
                HTTPRefusal(.get, "/topics/none", ExpectedProblem(404, "topic_not_found")),
            ]
    }

    private static let invalidTopic = ExpectedProblem(400, "invalid_topic")

    /// Methods that a path does not take.
    static var methods: [HTTPRefusal] {
        let table: [(path: String, allow: String, others: [HTTPRequest.Method])] = [
            ("/topics/orders/produce", "POST, OPTIONS", [.get, .head, .put, .delete, .patch]),
            ("/topics/orders/consume", "GET, HEAD, OPTIONS", [.post, .put, .delete, .patch]),
            ("/topics", "GET, HEAD, OPTIONS", [.post, .put, .delete]),
            ("/topics/orders", "GET, PUT, DELETE, HEAD, OPTIONS", [.post, .patch]),
            ("/topics/orders/trim", "POST, OPTIONS", [.get, .put, .delete]),
            ("/topics/orders/branches", "POST, OPTIONS", [.get, .put, .delete]),
            ("/health", "GET, HEAD, OPTIONS", [.post, .delete]), ("/metrics", "GET, HEAD, OPTIONS", [.post]),
            ("/", "GET, HEAD, OPTIONS", [.post, .put, .delete]),
        ]
        return table.flatMap { path, allow, others in
            others.filter { $0 != .head }.map { method in
                HTTPRefusal(method, path, allow: allow, ExpectedProblem(405, "method_not_allowed"))
            }
        }
    }

    /// Parameters that are unknown, repeated, out of range, or no numbers.
    static var parameters: [HTTPRefusal] {
        let consume = "/topics/orders/consume"
        let numbers = ["", "0", "-1", "+1", "1e3", "1.5", "1.0", "0x10", "%201", "1%20", "ten", "1,000", "%D9%A1"]
        let tooBig = ["9223372036854775808", "18446744073709551617", "100000000000000000000000000"]
        let waits = [
            "", "-1", "-0", "+1", "1e1", "20.001", "21", "20.0000000001", "1.2.3", ".", "1,5", "0x1", "inf", "nan",
            "1s", "%201", "10000000000", "%D9%A1",
        ]
        return (numbers + tooBig + ["10001"]).map { invalid("limit", "\(consume)?limit=\($0)") }
            + (numbers + tooBig + ["4194305"]).map { invalid("max_bytes", "\(consume)?max_bytes=\($0)") }
            + (numbers + tooBig + ["1001"]).map { invalid("limit", "/topics?limit=\($0)") }
            + waits.map { invalid("wait", "\(consume)?wait=\($0)") }
            + ["", "none", "latest", "Error"].map { invalid("on_trimmed", "\(consume)?on_trimmed=\($0)") }
            + ["a%20b", "%C3%A9", "a/b", "*", String(repeating: "x", count: 250)].flatMap {
                [invalid("prefix", "/topics?prefix=\($0)"), invalid("cursor", "/topics?cursor=\($0)")]
            } + unknownParameters
    }

    private static var unknownParameters: [HTTPRefusal] {
        let consume = "/topics/orders/consume"
        let repeated = [
            "offset=1&offset=1", "limit=1&limit=2", "wait=0&wait=0", "since=0&since=0", "max_bytes=1&max_bytes=1",
            "on_trimmed=error&on_trimmed=error", "limit=1&%6Cimit=1",
        ].map { query in
            invalid(query.prefix { $0 != "=" }, "\(consume)?\(query)")
        }
        let unknown = ["?x=1", "?x", "?x="].flatMap { query in
            [consume, "/topics", "/topics/orders", "/health", "/metrics", "/"].map { invalid("x", $0 + query) }
        }
        return repeated + unknown + [
            invalid("Limit", "\(consume)?Limit=1"), invalid("", "\(consume)?=1"),
            invalid("limit ", "\(consume)?limit+=1"),
            invalid("cursor", "\(consume)?cursor=a"), invalid("offset", "/topics?offset=1"),
            invalid("limit", "/topics?limit=1&limit=1"), invalid("x", "/topics/orders?x=1", .put),
            invalid("x", "/topics/new?x=1", .put),
            invalid("x", "/topics/orders?x=1", .delete), invalid("x", "/topics/orders/trim?x=1", .post),
            invalid("x", "/topics/orders/branches?x=1", .post),
            invalid("x", "/topics/orders/produce?x=1", .post),
            invalid("offset", "/topics/orders/produce?offset=1", .post),
            // What is wrong can not be decoded, so it is named as it came.
            invalid("%zz", "\(consume)?%zz=1"), invalid("limit", "\(consume)?limit=%"),
            invalid("limit", "\(consume)?limit=%ff"), invalid("%C3%28", "\(consume)?%C3%28=1"),
        ]
    }

    /// Places to begin that are none.
    static var starts: [HTTPRefusal] {
        let consume = "/topics/orders/consume"
        let offsets = [
            "", "0", "00", "-1", "+1", "1e3", "1.5", "%201", "1%20", "first", "Earliest", "LATEST", "end", "0x1",
            "9223372036854775808", "18446744073709551617", "%D9%A1",
        ]
        let times = [
            "", "-1", "+1", "1.5", "1e3", "now", "yesterday", "9223372036854775808", "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31%2012:00:00", "2026-01-31T12:00Z", "2026-02-29T12:00:00Z", "2026-13-01T12:00:00Z",
            "2026-00-01T12:00:00Z", "2026-01-00T12:00:00Z", "2026-01-32T12:00:00Z", "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00%2B24:00", "2026-01-31T12:00:00%2B0100", "2026-01-31T12:00:00%2B01",
            // An unencoded plus is a space in a query.
            "2026-01-31T12:00:00+01:00", "2026-01-31T12:00:00Z%20", "%202026-01-31T12:00:00Z", "26-01-31T12:00:00Z",
            "2026-1-31T12:00:00Z", "20260131T120000Z", "Sat,%2031%20Jan%202026%2012:00:00%20GMT",
        ]
        let events = ["", "0", "-1", "+1", "1.5", "abc", "9223372036854775807", "9223372036854775808"]
        return offsets.map { invalid("offset", "\(consume)?offset=\($0)") }
            + times.map { invalid("since", "\(consume)?since=\($0)") }
            + ["offset=1&since=0", "since=0&offset=latest", "since=0&offset=", "offset=0&since=x"].map {
                invalid("since", "\(consume)?\($0)")
            }
            + events.map { value in
                HTTPRefusal(
                    .get, consume, headers: [.accept: "text/event-stream", .lastEventID: value],
                    .invalidParameter("Last-Event-ID"))
            }
            + ["offset=0", "limit=0", "x=1"].map { query in
                HTTPRefusal(
                    .get, "\(consume)?\(query)", headers: [.accept: "text/event-stream"],
                    .invalidParameter(String(query.prefix { $0 != "=" })))
            }
            + [
                HTTPRefusal(
                    .get, "\(consume)?offset=5", ExpectedProblem(416, "offset_beyond_end", ["end_offset": "4"]))
            ]
    }

    /// Types that can not be given.
    static var negotiation: [HTTPRefusal] {
        ["text/html", "application/xml, image/*", "application/json;q=0", "*/*;q=0", "json", "text/plain"].map {
            HTTPRefusal(.get, "/topics/orders/consume", headers: [.accept: $0], ExpectedProblem(406, "not_acceptable"))
        }
    }

    private static func invalid(
        _ parameter: some StringProtocol, _ target: String, _ method: HTTPRequest.Method = .get
    ) -> HTTPRefusal {
        HTTPRefusal(method, target, .invalidParameter(String(parameter)))
    }
}
