import Foundation
import HTTPTypes
import LambdaRuntime
import StreamsAPI
import StreamsCore
import StreamsHTTP
import StreamsLambda
import StreamsModel
import StreamsTesting
import Testing

@Suite("The function", .serialized)
struct FunctionTests {
    private static let consume = "/topics/orders/consume"

    private func produce(_ payload: String, on front: LambdaFront) async throws {
        let answer = try await front.answer(
            APIRequest(method: .post, target: "/topics/orders/produce", body: Array(#"{"payload":\#(payload)}"#.utf8)))
        try #require(answer.status == .ok)
    }

    @Test("answers hold as many messages as Lambda carries, and a reader gets all of them", arguments: ["x", "\\\""])
    func largePages(text: String) async throws {
        try await LambdaFront.with(.http) { front in
            // Escaping leaves the one as it is and doubles the other; the second as sent is two bytes, four in the end.
            let payload = "\"" + String(repeating: text, count: 1_048_000 / text.utf8.count) + "\""
            for _ in 1...5 { try await produce(payload, on: front) }
            var next = 1
            var counts: [Int] = []
            while next < 6 {
                let answer = try await front.answer(
                    APIRequest(method: .get, target: "\(Self.consume)?limit=100&offset=\(next)"))
                try #require(answer.status == .ok)
                let end = String(decoding: answer.body.suffix(60), as: UTF8.self)
                let found = try #require(end.firstMatch(of: #/"next_offset":([0-9]+),"end_offset":6}$/#)?.output.1)
                let following = try #require(Int(found))
                counts.append(following - next)
                next = following
            }
            #expect(counts == (text == "x" ? [4, 1] : [2, 2, 1]))
        }
    }

    @Test("headers, which max_bytes does not count, do not make an answer too large")
    func largeHeaders() async throws {
        try await LambdaFront.with(.rest) { front in
            let headers = #"{"a":"\#(String(repeating: "x", count: 16_000))"}"#
            let item = #"{"payload":1,"headers":\#(headers)}"#
            for _ in 1...2 {
                let body = #"{"messages":[\#(Array(repeating: item, count: 300).joined(separator: ","))]}"#
                let answer = try await front.answer(
                    APIRequest(method: .post, target: "/topics/orders/produce", body: Array(body.utf8)))
                try #require(answer.status == .ok)
            }
            let lines = try await front.answer(
                APIRequest(
                    method: .get, target: "\(Self.consume)?limit=600", headers: [.accept: "application/x-ndjson"]))
            let count = lines.text.split(separator: "\n").count
            #expect((350..<400).contains(count))
            #expect(try lines.headers[#require(HTTPField.Name("Next-Offset"))] == String(count + 1))
        }
    }

    @Test("a stream of events that is not streamed ends after what is there, and says where to go on")
    func events() async throws {
        try await LambdaFront.with(.http) { front in
            let request = APIRequest(method: .get, target: Self.consume, headers: [.accept: "text/event-stream"])
            #expect(try await front.answer(request).text == ": connected\n\nretry: 1000\n\n")
            try await produce("1", on: front)
            try await produce("2", on: front)
            let answer = try await front.answer(request)
            #expect(
                answer.timeless == """
                    : connected

                    id: 1
                    data: {"offset":1,"payload":1,"timestamp":T}

                    id: 2
                    data: {"offset":2,"payload":2,"timestamp":T}

                    retry: 1000
                    id: 2


                    """)
            let latest = APIRequest(
                method: .get, target: Self.consume + "?offset=latest", headers: [.accept: "text/event-stream"])
            #expect(try await front.answer(latest).text == ": connected\n\nretry: 1000\nid: 2\n\n")
        }
    }

    @Test("events that do not fit in one answer come with the next one, none twice and none missing")
    func largeEvents() async throws {
        try await LambdaFront.with(.rest) { front in
            let payload = "\"" + String(repeating: "x", count: 1_000_000) + "\""
            for _ in 1...7 { try await produce(payload, on: front) }
            let first = try await front.answer(
                APIRequest(method: .get, target: Self.consume, headers: [.accept: "text/event-stream"]))
            #expect(Self.eventIDs(first) == [1, 2, 3, 4, 5, 6])
            let all = try await front.front.openStream(
                APIRequest(method: .get, target: Self.consume, headers: [.accept: "text/event-stream"])
            ) { String(decoding: $0.suffix(1_000_200), as: UTF8.self).contains("\nid: 7\n") }
            #expect(Self.eventIDs(all) == Array(1...7))
        }
    }

    private static func eventIDs(_ answer: HTTPAnswer) -> [Int] {
        answer.body.split(separator: UInt8(ascii: "\n")).filter { $0.count < 20 }.compactMap { line in
            let text = String(decoding: line, as: UTF8.self)
            return text.hasPrefix("id: ") ? Int(text.dropFirst(4)) : nil
        }
    }

    @Test("a wait ends before the function does", arguments: LambdaFront.Gateway.allCases)
    func waits(gateway: LambdaFront.Gateway) async throws {
        try await LambdaFront.with(gateway) { front in
            var front = front
            front.timeout = .seconds(5)
            let duration = try await ContinuousClock().measure {
                let answer = try await front.answer(APIRequest(method: .get, target: Self.consume + "?wait=20"))
                answer.expect(messages: "", next: 1, end: 1)
            }
            #expect(duration >= .seconds(4) && duration < .seconds(15))
        }
    }

    @Test("a streamed stream ends before the function does, and says where to go on")
    func streamEnds() async throws {
        try await LambdaFront.with(.restStreaming) { front in
            try await produce("1", on: front)
            var front = front
            front.timeout = .seconds(1)
            let answer = try await front.answer(
                APIRequest(method: .get, target: Self.consume, headers: [.accept: "text/event-stream"]))
            #expect(answer.text.hasPrefix(": connected\n\nid: 1\n") && answer.text.hasSuffix("retry: 1000\nid: 1\n\n"))
        }
    }

    @Test("an append whose store does not answer in time is answered with outcome_unknown")
    func overdueAppend() async throws {
        let store = InMemoryStore()
        let silent = SilentStore()
        // Of now: where the newest claim is old the log lists first, and would wait there.
        _ = try await store.create(TopicName("orders"), at: SystemTime().now())
        try await LambdaFront.with(.http, store: store, segments: silent) { front in
            var front = front
            front.timeout = .seconds(1)
            let produced = try await front.answer(
                APIRequest(method: .post, target: "/topics/orders/produce", body: Array(#"{"payload":1}"#.utf8)))
            #expect(produced.status == .serviceUnavailable && produced.text.contains(#""code":"outcome_unknown""#))
            for await _ in silent.puts { break }
            let consumed = try await front.answer(APIRequest(method: .get, target: Self.consume))
            #expect(consumed.status == .serviceUnavailable && consumed.text.contains(#""code":"unavailable""#))
            #expect(consumed.headers[.accessControlAllowOrigin] == "*" && consumed.headers[.retryAfter] == "1")
            silent.letGo()
        }
    }

    @Test("what is said instead of an answer that is too large has the shape of the event")
    func tooLarge() async throws {
        try await LambdaFront.with(.http) { front in
            let event = LambdaFront.httpEvent(APIRequest(method: .get, target: "/"))
            let document = front.function.answerInsteadOfTooLarge(try front.invocation(event))
            let text = String(decoding: document, as: UTF8.self)
            #expect(text.hasPrefix(#"{"statusCode":500,"headers":{"content-type":"application/problem+json"}"#))
        }
    }
}

/// A store whose calls do not come back until it lets go, not even for a task that is cancelled.
private final class SilentStore: SegmentStore {
    private let gate = Gate()
    private let putCalls = AsyncStream<Void>.makeStream()

    let keysPerList = 1000

    /// An element for each put; for one reader.
    var puts: AsyncStream<Void> { putCalls.stream }

    func letGo() { gate.open() }

    private func silence() async {
        await Task { try? await gate.pass() }.value
    }

    func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        putCalls.continuation.yield()
        await silence()
        return .stored
    }

    func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] {
        await silence()
        return keys.map { _ in nil }
    }

    func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        await silence()
        return []
    }
}
