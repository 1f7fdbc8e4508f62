import HTTPTypes
import StreamsModel
import Testing

/// Consume: pages, limits, waiting.
extension HTTPConformance {
    static var consumeChecks: [Check] {
        [
            Check("a topic that does not exist reads as empty, and comes into being with its first message") { front in
                try await front.get("/topics/orders/consume").expect(messages: "", next: 1, end: 1)
                let lines = try await front.get("/topics/orders/consume", accept: "application/x-ndjson")
                #expect(lines.status == .ok && lines.body.isEmpty)
                try await front.get("/topics/orders").expect(ExpectedProblem(404, "topic_not_found"))
                try await front.produceNumbers(1)
                try await front.get("/topics/orders/consume").expect(numbers: 1..<2, end: 2)
            },
            Check("without parameters the first ten messages come") { front in
                try await front.produceNumbers(12)
                try await front.get("/topics/orders/consume").expect(numbers: 1..<11, end: 13)
            },
            Check("limit is met exactly, within one batch and over many") { front in
                try await front.produceNumbers(20)
                for number in 21...40 { _ = try await front.produce(#"{"payload":\#(number)}"#) }
                for (offset, limit) in [(1, 1), (1, 20), (5, 17), (15, 20), (21, 3), (1, 39), (1, 40), (40, 1)] {
                    try await front.get("/topics/orders/consume?offset=\(offset)&limit=\(limit)")
                        .expect(numbers: offset..<offset + limit, end: 41)
                }
                try await front.get("/topics/orders/consume?limit=10000").expect(numbers: 1..<41, end: 41)
            },
            Check("a reader that follows next_offset sees every message once, in order") { front in
                try await front.produceNumbers(25)
                var next = 1
                for last in [8, 15, 22, 26] {
                    let page = try await front.get("/topics/orders/consume?offset=\(next)&limit=7")
                    page.expect(numbers: next..<last, end: 26)
                    next = last
                }
                try await front.get("/topics/orders/consume?offset=26&limit=7").expect(numbers: 26..<26, end: 26)
            },
            Check("max_bytes counts the bytes of payloads, and lets at least one message through") { front in
                for _ in 1...2 { try await front.produceNumbers(9) }
                for (bytes, count) in [(1, 1), (2, 2), (3, 3), (9, 9), (10, 10), (17, 17), (18, 18), (4_194_304, 18)] {
                    let page = try await front.get("/topics/orders/consume?limit=100&max_bytes=\(bytes)")
                    #expect(page.timestamps.count == count, "max_bytes=\(bytes)")
                }
                _ = try await front.produce(
                    #"{"payload":"\#(String(repeating: "x", count: 1000))","key":"k"}"#, to: "big")
                let page = try await front.get("/topics/big/consume?max_bytes=5")
                #expect(page.timestamps.count == 1)
            },
        ]
    }

    static var waitChecks: [Check] {
        [
            Check("wait answers at once when there is a message, and empty when there is none in time") { front in
                try await front.produceNumbers(1)
                let duration = try await ContinuousClock().measure {
                    for wait in ["20", "20.0", "0020", "0", ".5", "0.5", "19.999"] {
                        try await front.get("/topics/orders/consume?wait=\(wait)").expect(numbers: 1..<2, end: 2)
                    }
                }
                #expect(duration < .seconds(10))
                let waited = try await ContinuousClock().measure {
                    try await front.get("/topics/orders/consume?offset=2&wait=0.25").expect(
                        messages: "", next: 2, end: 2)
                }
                #expect(waited >= .milliseconds(250) && waited < .seconds(10))
            },
            Check("a waiting reader gets the next message as soon as it is there") { front in
                try await front.produceNumbers(1)
                let duration = try await ContinuousClock().measure {
                    async let page = front.get("/topics/orders/consume?offset=latest&wait=20")
                    async let other = front.get("/topics/orders/consume?offset=2&wait=20")
                    async let lines = front.get("/topics/new/consume?wait=20", accept: "application/x-ndjson")
                    // Later than the readers, as good as always; where not, they still must get it.
                    _ = try await front.get("/topics/none/consume?wait=0.2")
                    try await front.produce(#"{"payload":2}"#).expect(json: #"{"topic":"orders","offset":2}"#)
                    _ = try await front.produce(#"{"payload":1}"#, to: "new")
                    try await page.expect(numbers: 2..<3, end: 3)
                    try await other.expect(numbers: 2..<3, end: 3)
                    #expect(try await lines.timeless == #"{"offset":1,"payload":1,"timestamp":T}"# + "\n")
                }
                #expect(duration < .seconds(10))
            },
        ]
    }

    /// Where a read begins.
    static var startChecks: [Check] {
        [
            Check("offset is a number, earliest or latest") { front in
                try await front.produceNumbers(3)
                for (offset, first) in [("earliest", 1), ("1", 1), ("2", 2), ("003", 3), ("4", 4), ("latest", 4)] {
                    try await front.get("/topics/orders/consume?offset=\(offset)").expect(numbers: first..<4, end: 4)
                }
                try await front.get("/topics/new/consume?offset=latest").expect(messages: "", next: 1, end: 1)
                try await front.get("/topics/new/consume?offset=1").expect(messages: "", next: 1, end: 1)
            },
            Check("parameters may be percent-encoded, names as well as values") { front in
                try await front.produceNumbers(3)
                try await front.get("/topics/orders/consume?%6Fffset=%32&limi%74=1").expect(numbers: 2..<3, end: 4)
                try await front.get("/topics/orders/consume?&&limit=1&").expect(numbers: 1..<2, end: 4)
                try await front.get("/topics/orders/consume?").expect(numbers: 1..<4, end: 4)
                try await front.get("/topics/orders/consume?limit=1#fragment").expect(numbers: 1..<2, end: 4)
            },
            Check("an offset past the end is 416 with the end") { front in
                try await front.get("/topics/orders/consume?offset=2")
                    .expect(ExpectedProblem(416, "offset_beyond_end", ["end_offset": "1"]))
                try await front.produceNumbers(3)
                for offset in ["5", "9223372036854775807"] {
                    for accept in ["application/json", "application/x-ndjson", "text/event-stream"] {
                        try await front.get("/topics/orders/consume?wait=20&offset=\(offset)", accept: accept)
                            .expect(ExpectedProblem(416, "offset_beyond_end", ["end_offset": "4"]))
                    }
                }
            },
        ]
    }

    static var timeChecks: [Check] {
        [
            Check("an offset below the earliest kept message is 410, unless the reader jumps") { front in
                try await front.produceNumbers(9)
                try await front.trim(TopicName("orders"), Offset.first.advanced(by: 5))
                let trimmed = ExpectedProblem(
                    410, "offset_trimmed", ["earliest_offset": "6", "end_offset": "10"])
                for query in ["offset=1", "offset=5", "offset=5&on_trimmed=error", "offset=1&wait=20"] {
                    for accept in ["application/json", "application/x-ndjson", "text/event-stream"] {
                        try await front.get("/topics/orders/consume?\(query)", accept: accept).expect(trimmed)
                    }
                }
                for query in ["offset=1&on_trimmed=earliest", "", "offset=earliest", "offset=6", "since=0"] {
                    try await front.get("/topics/orders/consume?\(query)").expect(numbers: 6..<10, end: 10)
                }
                try await front.get("/topics/orders/consume?offset=8&on_trimmed=earliest")
                    .expect(numbers: 8..<10, end: 10)
                try await front.get("/topics/orders").expect(
                    json: #"{"topic":"orders","earliest_offset":6,"end_offset":10,"created_at":T,"updated_at":T,"#
                        + #""fenced":false}"#)
            },
            Check("since begins at the first message appended at or after a time") { front in
                // Batches until three different times are there.
                var stamps: [Int64] = []
                while Set(stamps).count < 3 {
                    try await front.produceNumbers(2)
                    stamps = try await front.get("/topics/orders/consume?limit=10000").timestamps
                    try #require(stamps.count < 9000)
                }
                let edges = Set(stamps).flatMap { (time: Int64) -> [Int64] in [time - 1, time, time + 1] }
                for time in edges + [0, 1, Int64.max] {
                    let expected = (stamps.firstIndex(where: { $0 >= time }) ?? stamps.count) + 1
                    let lines = try await front.get(
                        "/topics/orders/consume?limit=1&since=\(time)", accept: "application/x-ndjson")
                    let next = min(expected + 1, stamps.count + 1)
                    #expect(lines.headers[.nextOffset] == String(next), "since=\(time)")
                    #expect(expected > stamps.count || lines.text.hasPrefix(#"{"offset":\#(expected),"#))
                }
            },
            Check("since takes times of RFC 3339, and a time to come means the end") { front in
                try await front.produceNumbers(3)
                for time in ["1970-01-01T00:00:00Z", "2020-02-29t23:59:60.123456789z", "2020-01-01%2000:00:00-23:59"] {
                    try await front.get("/topics/orders/consume?since=\(time)").expect(numbers: 1..<4, end: 4)
                }
                for time in ["9999-12-31T23:59:59%2B00:00", "9223372036854775807"] {
                    try await front.get("/topics/orders/consume?since=\(time)").expect(messages: "", next: 4, end: 4)
                }
                try await front.get("/topics/new/consume?since=0").expect(messages: "", next: 1, end: 1)
            },
        ]
    }
}

extension HTTPField.Name {
    /// Where a reader goes on, on NDJSON answers.
    static let nextOffset = conformance("Next-Offset")
    /// The log end offset, on NDJSON answers.
    static let endOffset = conformance("End-Offset")
    /// The id of the last event that a browser saw.
    static let lastEventID = conformance("Last-Event-ID")

    private static func conformance(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("a field name is a token") }
        return field
    }
}
