import HTTPTypes
import StreamsHTTP
import StreamsModel
import Synchronization
import Testing

/// The forms of reading: negotiation, NDJSON, server-sent events.
extension HTTPConformance {
    static var negotiationChecks: [Check] {
        [
            Check("Accept chooses among JSON, lines and events by weight, then in that order") { front in
                try await front.produceNumbers(2)
                for (accept, contentType) in [
                    (nil, "application/json"), ("", "application/json"), ("*/*", "application/json"),
                    ("application/*", "application/json"), ("text/html, */*;q=0.1", "application/json"),
                    ("application/x-ndjson", "application/x-ndjson"), ("application/jsonl", "application/x-ndjson"),
                    ("Application/X-NDJSON; charset=utf-8", "application/x-ndjson"),
                    ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"),
                    ("application/json;q=0, */*", "application/x-ndjson"),
                    ("application/x-ndjson;q=0.5, application/json;q=0.5", "application/json"),
                    ("*/*;q=0.1, application/x-ndjson;q=0.2", "application/x-ndjson"),
                ] {
                    let answer = try await front.get("/topics/orders/consume", accept: accept)
                    #expect(answer.status == .ok && answer.headers[.contentType] == contentType, "\(accept ?? "none")")
                    #expect(answer.headers[.cacheControl] == "no-store")
                }
            },
            Check("lines are the messages, with the offsets to go on from in the header") { front in
                try await front.produceNumbers(5)
                let lines = try await front.get(
                    "/topics/orders/consume?offset=2&limit=2", accept: "application/x-ndjson")
                #expect(
                    lines.timeless == #"{"offset":2,"payload":2,"timestamp":T}"# + "\n"
                        + #"{"offset":3,"payload":3,"timestamp":T}"# + "\n")
                #expect(lines.headers[.nextOffset] == "4" && lines.headers[.endOffset] == "6")
            },
        ]
    }

    static var eventChecks: [Check] {
        [
            Check("events have offsets as ids and messages as data, and begin with a comment") { front in
                try await front.produceNumbers(3)
                let events = try await front.events("/topics/orders/consume?limit=1", upTo: 3)
                #expect(events.status == .ok)
                #expect(events.headers[.contentType] == "text/event-stream")
                #expect(events.headers[.cacheControl] == "no-store")
                #expect(events.headers[.accessControlAllowOrigin] == "*")
                #expect(
                    events.timeless == eventText((1...3).map { #"{"offset":\#($0),"payload":\#($0),"timestamp":T}"# }))
            },
            Check("events go on with the messages to come") { front in
                let events = try await front.events("/topics/orders/consume", upTo: 3, producing: 3)
                #expect(
                    events.timeless == eventText((1...3).map { #"{"offset":\#($0),"payload":\#($0),"timestamp":T}"# }))
            },
            Check("events begin where the parameters say") { front in
                try await front.produceNumbers(3)
                for query in ["offset=3", "offset=3&wait=1&limit=1&max_bytes=1&on_trimmed=error"] {
                    let events = try await front.events("/topics/orders/consume?\(query)", upTo: 3)
                    #expect(events.timeless == eventText([#"{"offset":3,"payload":3,"timestamp":T}"#], from: 3))
                }
                let events = try await front.events("/topics/orders/consume?offset=latest", upTo: 4, producing: 1)
                #expect(events.timeless == eventText([#"{"offset":4,"payload":1,"timestamp":T}"#], from: 4))
            },
            Check("Last-Event-ID goes on after that event, whatever the parameters say") { front in
                try await front.produceNumbers(4)
                for query in ["", "?offset=1", "?offset=latest", "?since=0"] {
                    let events = try await front.events(
                        "/topics/orders/consume\(query)", after: "2", upTo: 4)
                    let messages = (3...4).map { #"{"offset":\#($0),"payload":\#($0),"timestamp":T}"# }
                    #expect(events.timeless == eventText(messages, from: 3))
                }
                let events = try await front.events("/topics/orders/consume", after: "4", upTo: 5, producing: 1)
                #expect(events.timeless == eventText([#"{"offset":5,"payload":1,"timestamp":T}"#], from: 5))
            },
            Check("Last-Event-ID past the end is 416, below the earliest message 410") { front in
                try await front.produceNumbers(9)
                try await front.trim(TopicName("orders"), Offset.first.advanced(by: 5))
                func answer(_ lastEventID: String, _ query: String = "") async throws -> HTTPAnswer {
                    try await front.send(
                        .get, "/topics/orders/consume\(query)",
                        headers: [.accept: "text/event-stream", .lastEventID: lastEventID])
                }
                try await answer("10").expect(ExpectedProblem(416, "offset_beyond_end", ["end_offset": "10"]))
                try await answer("4").expect(
                    ExpectedProblem(410, "offset_trimmed", ["earliest_offset": "6", "end_offset": "10"]))
                let events = try await front.events("/topics/orders/consume?on_trimmed=earliest", after: "4", upTo: 9)
                let messages = (6...9).map { #"{"offset":\#($0),"payload":\#($0),"timestamp":T}"# }
                #expect(events.timeless == eventText(messages, from: 6))
            },
            Check("a stream of thousands of messages comes whole") { front in
                try await front.produceNumbers(3000)
                let events = try await front.events("/topics/orders/consume", upTo: 3000)
                let messages = (1...3000).map { #"{"offset":\#($0),"payload":\#($0),"timestamp":T}"# }
                let isEqual = events.timeless == eventText(messages)
                #expect(isEqual)
            },
        ]
    }

    /// What a stream of events of these messages looks like.
    static func eventText(_ messages: [String], from first: Int = 1) -> String {
        ": connected\n\n"
            + messages.enumerated().map { "id: \(first + $0.offset)\ndata: \($0.element)\n\n" }.joined()
    }
}

extension HTTPFront {
    /// Opens a stream of events and collects it up to the event with the id `last`.
    ///
    /// With `producing`, the numbers from 1 on are appended one by one, each after the one before has come.
    func events(
        _ target: String, after lastEventID: String? = nil, upTo last: Int, producing count: Int = 0
    ) async throws -> HTTPAnswer {
        let request = request(target, after: lastEventID)
        let topic = target.split(separator: "/").dropFirst().first.map(String.init) ?? "orders"
        let produced = Mutex(0)
        return try await openStream(request) { received in
            let text = String(decoding: received, as: UTF8.self)
            guard text.hasSuffix("\n\n") else { return false }
            if text.contains("\nid: \(last)\n") { return true }
            let events = text.matches(of: #/\nid: /#).count
            let next = produced.withLock { produced -> Int? in
                guard produced < count, produced == events else { return nil }
                produced += 1
                return produced
            }
            if let next { _ = try await produce(#"{"payload":\#(next)}"#, to: topic) }
            return false
        }
    }

    private func request(_ target: String, after lastEventID: String?) -> APIRequest {
        var headers: HTTPFields = [.accept: "text/event-stream"]
        headers[.lastEventID] = lastEventID
        return APIRequest(method: .get, target: target, headers: headers)
    }
}
