import HTTPTypes
import StreamsHTTP
import StreamsTesting
import Testing

/// What goes in by any form of producing comes out by every form of reading, byte for byte.
@Suite("Byte exactness of the API")
struct ByteExactnessTests {
    private struct Message {
        var payload: String
        var key: String?
        var headers: String?

        var envelope: String {
            "{\"payload\":\(payload)" + (key.map { ",\"key\":\($0)" } ?? "")
                + (headers.map { ",\"headers\":\($0)" } ?? "")
                + "}"
        }

        func stored(at offset: Int) -> String {
            "{\"offset\":\(offset),\"payload\":\(payload),\"timestamp\":T" + (key.map { ",\"key\":\($0)" } ?? "")
                + (headers.map { ",\"headers\":\($0)" } ?? "") + "}"
        }
    }

    @Test("random messages come back as sent", arguments: 1...30)
    func comesBackAsSent(seed: Int) async throws {
        var json = RandomJSON(random: SplitMix64(seed: UInt64(seed)))
        try await InProcessAPI.with { api in
            let front = api.front
            var stored: [String] = []
            for _ in 0..<12 {
                let isLines = json.random.happens(percent: 30)
                let messages = (0..<json.random.next(below: 5) + 1).map { _ in Self.message(&json, withParts: !isLines)
                }
                stored += messages.enumerated().map { $0.element.stored(at: stored.count + 1 + $0.offset) }
                let answer: HTTPAnswer
                if isLines {
                    answer = try await front.produce(
                        messages.map { json.blank() + $0.payload + json.blank() }.joined(separator: "\n"),
                        contentType: "application/x-ndjson")
                } else if messages.count == 1 {
                    answer = try await front.produce(messages[0].envelope)
                } else {
                    let items = messages.map { json.blank() + $0.envelope + json.blank() }.joined(separator: ",")
                    answer = try await front.produce(#"{"messages":[\#(items)]}"#)
                }
                try #require(answer.status == .ok, "\(answer.text)")
            }
            try await expect(stored, in: front, pageSize: json.random.next(below: 9) + 1)
        }
    }

    /// Reads everything in every form, in pages of every kind.
    private func expect(_ stored: [String], in front: HTTPFront, pageSize: Int) async throws {
        let end = stored.count + 1
        let page = try await front.get("/topics/orders/consume?limit=10000")
        page.expect(messages: stored.joined(separator: ","), next: end, end: end)
        let lines = try await front.get("/topics/orders/consume?limit=10000", accept: "application/x-ndjson")
        #expect(lines.timeless == stored.map { $0 + "\n" }.joined())
        let events = APIRequest(
            method: .get, target: "/topics/orders/consume", headers: [.accept: "text/event-stream"])
        let lastID = "\nid: \(stored.count)\n"
        let stream = try await front.openStream(events) { String(decoding: $0, as: UTF8.self).contains(lastID) }
        let expected = stored.enumerated().map { "id: \($0.offset + 1)\ndata: \($0.element)\n\n" }.joined()
        #expect(stream.timeless == ": connected\n\n" + expected)
        for first in stride(from: 1, to: end, by: pageSize) {
            let last = min(first + pageSize, end)
            let part = try await front.get("/topics/orders/consume?offset=\(first)&limit=\(pageSize)")
            part.expect(messages: stored[(first - 1)..<(last - 1)].joined(separator: ","), next: last, end: end)
        }
    }

    private static func message(_ json: inout RandomJSON, withParts: Bool) -> Message {
        var message = Message(payload: json.value())
        if withParts {
            if json.random.happens(percent: 30) { message.key = json.string() }
            if json.random.happens(percent: 30) { message.headers = json.headers() }
        }
        return message
    }
}
