import HTTPTypes
import StreamsHTTP
import StreamsModel
import Testing

/// Produce requests with `Idempotency-Key`, `Expected-Offset` and `Fencing-Token`, and the fence.
extension HTTPConformance {
    static var idempotencyChecks: [Check] {
        [
            Check("a request with an idempotency key that comes again is answered as before, and writes nothing") {
                front in
                let fields = [("Idempotency-Key", "order-1")]
                let first = try await front.produce("1\n2", fields, contentType: "application/x-ndjson")
                first.expect(json: #"{"topic":"orders","offset":1,"last_offset":2,"count":2}"#)
                #expect(first.replayed == nil)
                try await front.produce("3", [], contentType: "application/x-ndjson").expect(
                    json: #"{"topic":"orders","offset":3,"last_offset":3,"count":1}"#)
                for _ in 0..<3 {
                    let again = try await front.produce("1\n2", fields, contentType: "application/x-ndjson")
                    again.expect(json: #"{"topic":"orders","offset":1,"last_offset":2,"count":2}"#)
                    #expect(again.replayed == "true")
                }
                try await front.get("/topics/orders/consume").expect(numbers: 1..<4, end: 4)
            },
            Check("an idempotency key with another body is refused, and keeps standing for the first") { front in
                let fields = [("Idempotency-Key", "k")]
                try await front.produce(#"{"payload":1}"#, fields).expect(json: #"{"topic":"orders","offset":1}"#)
                let reused = ExpectedProblem(422, "idempotency_key_reused")
                try await front.produce(#"{"payload":2}"#, fields).expect(reused)
                // One text, taken for something else.
                try await front.produce(#"{"payload":1}"#, fields, contentType: "application/x-ndjson").expect(reused)
                try await front.produce(#"{"payload":1}"#, fields).expect(json: #"{"topic":"orders","offset":1}"#)
                try await front.produce(#"{"payload":2}"#, [("Idempotency-Key", "l")])
                    .expect(json: #"{"topic":"orders","offset":2}"#)
                try await front.get("/topics/orders/consume").expect(numbers: 1..<3, end: 3)
            },
            Check("an idempotency key belongs to its topic, and may be any visible ASCII") { front in
                for key in ["!", "~", #"a"b\c;d,e=f"#, String(repeating: "9", count: 255)] {
                    let first = try await front.produce(#"{"payload":1}"#, [("Idempotency-Key", key)])
                    #expect(first.status == .ok && first.replayed == nil)
                    let other = try await front.produce(#"{"payload":1}"#, [("Idempotency-Key", key)], to: "others")
                    #expect(other.status == .ok && other.replayed == nil)
                    let again = try await front.produce(#"{"payload":1}"#, [("Idempotency-Key", key)])
                    #expect(again.text == first.text && again.replayed == "true")
                }
            },
            Check("a request that is refused does not use its idempotency key up") { front in
                let fields = [("Idempotency-Key", "k")]
                try await front.produce("{", fields).expect(.invalidJSON(at: 1))
                try await front.produce(#"{"payload":1}"#, fields + [("Expected-Offset", "7")])
                    .expect(ExpectedProblem(412, "offset_mismatch", ["end_offset": "1"]))
                try await front.produce(#"{"payload":1}"#, fields + [("Fencing-Token", "t")])
                    .expect(ExpectedProblem(412, "fenced"))
                let answer = try await front.produce(#"{"payload":2}"#, fields)
                answer.expect(json: #"{"topic":"orders","offset":1}"#)
                #expect(answer.replayed == nil)
            },
        ] + settledKeyChecks
    }

    private static var settledKeyChecks: [Check] {
        [
            Check("concurrent requests with one idempotency key are one append, and all answers are equal") { front in
                let answers = try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 1...24 {
                        group.addTask {
                            try await front.produce(#"{"payload":1}"#, [("Idempotency-Key", "k")]).text
                        }
                    }
                    return try await group.reduce(into: Set<String>()) { $0.insert($1) }
                }
                #expect(answers == [#"{"topic":"orders","offset":1}"#])
                let page = try await front.get("/topics/orders/consume?limit=100").text
                #expect(page.matches(of: /"payload":1/).count == 1)
            },
            Check("what was written with an idempotency key and is trimmed is not written again") { front in
                let fields = [("Idempotency-Key", "k")]
                try await front.produce(#"{"payload":1}"#, fields).expect(json: #"{"topic":"orders","offset":1}"#)
                try await front.produceNumbers(3)
                let orders = try TopicName("orders")
                try await front.trim(orders, Offset.first.advanced(by: 2))
                try await front.produce(#"{"payload":1}"#, fields)
                    .expect(ExpectedProblem(409, "idempotency_key_expired"))
                #expect(try await front.get("/topics/orders").text.contains(#""end_offset":5"#))
            },
        ]
    }

    static var conditionChecks: [Check] {
        [
            Check("a request that expects the end is appended there") { front in
                try await front.produce(#"{"payload":1}"#, [("Expected-Offset", "1")])
                    .expect(json: #"{"topic":"orders","offset":1}"#)
                try await front.produce("2\n3", [("Expected-Offset", "2")], contentType: "application/x-ndjson")
                    .expect(json: #"{"topic":"orders","offset":2,"last_offset":3,"count":2}"#)
                try await front.get("/topics/orders/consume").expect(numbers: 1..<4, end: 4)
            },
            Check("a request that expects another offset is refused with the end, and writes nothing") { front in
                try await front.produce(#"{"payload":1}"#, [("Expected-Offset", "2")])
                    .expect(ExpectedProblem(412, "offset_mismatch", ["end_offset": "1"]))
                // What is refused creates no topic.
                try await front.get("/topics/orders").expect(ExpectedProblem(404, "topic_not_found"))
                try await front.produceNumbers(3)
                for wrong in ["1", "3", "5", "9223372036854775807"] {
                    try await front.produce(#"{"payload":1}"#, [("Expected-Offset", wrong)])
                        .expect(ExpectedProblem(412, "offset_mismatch", ["end_offset": "4"]))
                }
                try await front.get("/topics/orders/consume").expect(numbers: 1..<4, end: 4)
            },
            Check("of many requests that expect one offset one is appended") { front in
                try await front.produceNumbers(2)
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 1...16 {
                        group.addTask {
                            try await front.produce(#"{"payload":3}"#, [("Expected-Offset", "3")]).status.code
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.sorted() == [200] + Array(repeating: 412, count: 15))
                try await front.get("/topics/orders/consume").expect(numbers: 1..<4, end: 4)
            },
            Check("a request with a key that comes again is answered before its condition is judged") { front in
                let fields = [("Idempotency-Key", "k"), ("Expected-Offset", "1")]
                for attempt in 1...3 {
                    let answer = try await front.produce(#"{"payload":1}"#, fields)
                    answer.expect(json: #"{"topic":"orders","offset":1}"#)
                    #expect((answer.replayed == "true") == (attempt > 1))
                }
            },
        ]
    }

    /// What is told of the topic.
    private static func topic(_ end: Int, _ isFenced: Bool) -> String {
        #"{"topic":"orders","earliest_offset":1,"end_offset":\#(end),"created_at":T,"updated_at":T,"#
            + #""fenced":\#(isFenced)}"#
    }

    static var fenceChecks: [Check] {
        let fenced = ExpectedProblem(412, "fenced")
        return [
            Check("a fenced topic takes appends with its token only") { front in
                try await front.produceNumbers(1)
                try await front.fence(#"{"token":"a"}"#).expect(json: topic(2, true))
                try await front.get("/topics/orders").expect(json: topic(2, true))
                for wrong in [[], [("Fencing-Token", "b")], [("Fencing-Token", "A")]] {
                    try await front.produce(#"{"payload":9}"#, wrong).expect(fenced)
                }
                try await front.produce(#"{"payload":2}"#, [("Fencing-Token", "a")])
                    .expect(json: #"{"topic":"orders","offset":2}"#)
                // The next owner takes over.
                try await front.fence(#"{"token":"b"}"#).expect(json: topic(3, true))
                try await front.produce(#"{"payload":9}"#, [("Fencing-Token", "a")]).expect(fenced)
                let conditions = [("Fencing-Token", "b"), ("Expected-Offset", "3"), ("Idempotency-Key", "k")]
                try await front.produce(#"{"payload":3}"#, conditions).expect(json: #"{"topic":"orders","offset":3}"#)
                try await front.fence(#"{"token":null}"#).expect(json: topic(4, false))
                try await front.produce(#"{"payload":9}"#, [("Fencing-Token", "b")]).expect(fenced)
                try await front.produce(#"{"payload":4}"#, []).expect(json: #"{"topic":"orders","offset":4}"#)
                try await front.get("/topics/orders/consume").expect(numbers: 1..<5, end: 5)
            },
            Check("a fence is set on condition of the token before") { front in
                try await front.produceNumbers(1)
                try await front.fence(#"{"token":"b"}"#, [("Fencing-Token", "a")]).expect(fenced)
                try await front.get("/topics/orders").expect(json: topic(2, false))
                try await front.fence(#"{"token":"a"}"#).expect(json: topic(2, true))
                try await front.fence(#"{"token":"c"}"#, [("Fencing-Token", "b")]).expect(fenced)
                try await front.fence(#"{"token":"b"}"#, [("Fencing-Token", "a")]).expect(json: topic(2, true))
                try await front.fence(#"{"token":null}"#, [("Fencing-Token", "b")]).expect(json: topic(2, false))
            },
            Check("a topic that does not exist can not be fenced, and appends with a token do not create it") { front in
                try await front.fence(#"{"token":"a"}"#).expect(ExpectedProblem(404, "topic_not_found"))
                try await front.produce(#"{"payload":1}"#, [("Fencing-Token", "a")]).expect(fenced)
                try await front.get("/topics").expect(json: #"{"topics":[],"next_cursor":null}"#)
            },
            Check("what is no token is refused by name") { front in
                try await front.produceNumbers(1)
                let bodies: [(String, ExpectedProblem)] = [
                    ("", ExpectedProblem(400, "body_required")), ("{", .invalidJSON(at: 1)),
                    ("{}", .invalidParameter("token")), (#"{"token":1}"#, .invalidParameter("token")),
                    (#"{"token":""}"#, .invalidParameter("token")),
                    (#"{"token":"a b"}"#, .invalidParameter("token")),
                    (#"{"token":"\#(String(repeating: "t", count: 37))"}"#, .invalidParameter("token")),
                    (#"{"token":"a","x":1}"#, .invalidParameter("x")), (#"["a"]"#, .invalidParameter("body")),
                ]
                for (body, problem) in bodies { try await front.fence(body).expect(problem) }
                try await front.fence(#"{"token":"a"}"#, [("Fencing-Token", "")])
                    .expect(.invalidParameter("Fencing-Token"))
                try await front.get("/topics/orders").expect(json: topic(2, false))
                try await front.fence(#"{"token":"\#(String(repeating: "t", count: 36))"}"#).expect(
                    json: topic(2, true))
            },
        ]
    }
}

extension HTTPFront {
    /// Sends a produce request with header fields.
    fileprivate func produce(
        _ body: String, _ fields: [(String, String)], to topic: String = "orders", contentType: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        var headers = try Self.headers(fields)
        headers[.contentType] = contentType
        return try await send(
            .post, "/topics/\(topic)/produce", headers: headers, body: body, sourceLocation: sourceLocation)
    }

    /// Sends a request to set the fencing token.
    fileprivate func fence(
        _ body: String, _ fields: [(String, String)] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        try await send(
            .put, "/topics/orders/fence", headers: Self.headers(fields), body: body, sourceLocation: sourceLocation)
    }

    private static func headers(_ fields: [(String, String)]) throws -> HTTPFields {
        var headers = HTTPFields()
        for (name, value) in fields { headers[try #require(HTTPField.Name(name))] = value }
        return headers
    }
}

extension HTTPAnswer {
    /// The field that tells of a replay.
    fileprivate var replayed: String? { HTTPField.Name("Idempotency-Replayed").flatMap { headers[$0] } }
}
