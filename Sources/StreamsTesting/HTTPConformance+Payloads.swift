import HTTPTypes
import Testing

/// Payload bytes come back as they went in.
extension HTTPConformance {
    static var payloadChecks: [Check] {
        [
            Check("payload bytes come back as sent in all forms of reading") { front in
                for (index, payload) in payloads.enumerated() {
                    try await front.produce(#"{"payload":\#(payload)}"#)
                        .expect(json: #"{"topic":"orders","offset":\#(index + 1)}"#)
                }
                try await expectPayloads(in: front, of: "orders")
            },
            Check("payload bytes of a batch and of lines come back as sent") { front in
                let items = payloads.map { #"{"payload":\#($0)}"# }.joined(separator: ",")
                let batch = try await front.produce(#"{"messages":[\#(items)]}"#, to: "batch")
                #expect(batch.status == .ok)
                try await expectPayloads(in: front, of: "batch")
                let lines = try await front.produce(
                    payloads.joined(separator: "\n"), to: "lines", contentType: "application/x-ndjson")
                #expect(lines.status == .ok)
                try await expectPayloads(in: front, of: "lines")
            },
            Check("line breaks and indentation outside of strings go, and nothing else") { front in
                let answer = try await front.produce("{\n  \"payload\":\r\n  { \"a\" :\n\t[ 1,\r 2 ]\n  }\n}\n")
                answer.expect(json: #"{"topic":"orders","offset":1}"#)
                let batch = try await front.produce(
                    "{\"messages\": [\n  {\"payload\": [\n1,  2\n]\n, \"headers\": {\n\"a\":\n\"b c\"}}\n]\n}")
                #expect(batch.status == .ok)
                // A carriage return is no end of a line of NDJSON, but would be one in server-sent events.
                let line = try await front.produce("[1,\r2]\r\n", contentType: "application/x-ndjson")
                #expect(line.status == .ok)
                let messages = [
                    #"{"offset":1,"payload":{ "a" :[ 1,2 ]},"timestamp":T}"#,
                    #"{"offset":2,"payload":[1,  2],"timestamp":T,"headers":{"a":"b c"}}"#,
                    #"{"offset":3,"payload":[1,2],"timestamp":T}"#,
                ]
                let page = try await front.get("/topics/orders/consume")
                page.expect(messages: messages.joined(separator: ","), next: 4, end: 4)
                let lines = try await front.get("/topics/orders/consume", accept: "application/x-ndjson")
                #expect(lines.timeless == messages.map { $0 + "\n" }.joined())
                let events = try await front.events("/topics/orders/consume", upTo: 3)
                #expect(events.timeless == eventText(messages))
            },
        ]
    }

    /// The largest that is taken.
    static var sizeChecks: [Check] {
        [
            Check("keys and headers come back as sent, up to their limits") { front in
                let key = String(repeating: "é", count: 512)
                let escapedKey = String(repeating: "\\u0041", count: 1024)
                let headers = #"{"a":"\#(String(repeating: "x", count: 16 * 1024 - 8))"}"#
                let longest = String(repeating: "x", count: 1024 * 1024 - 2)
                let first = try await front.produce(#"{"payload":1,"key":"\#(key)"}"#)
                let second = try await front.produce(#"{"payload":2,"key":"\#(escapedKey)"}"#)
                let third = try await front.produce(#"{"payload":3,"headers":\#(headers)}"#)
                let fourth = try await front.produce(#"{"payload":"\#(longest)"}"#)
                #expect([first, second, third, fourth].map(\.status) == [.ok, .ok, .ok, .ok])
                let page = try await front.get("/topics/orders/consume?limit=4")
                let expected =
                    #"{"offset":1,"payload":1,"timestamp":T,"key":"\#(key)"},"#
                    + #"{"offset":2,"payload":2,"timestamp":T,"key":"\#(escapedKey)"},"#
                    + #"{"offset":3,"payload":3,"timestamp":T,"headers":\#(headers)},"#
                    + #"{"offset":4,"payload":"\#(longest)","timestamp":T}"#
                // Not compared by the macro, which would print megabytes.
                let isEqual = page.timeless == #"{"messages":[\#(expected)],"next_offset":5,"end_offset":5}"#
                #expect(isEqual)
            },
            Check("the largest batch and the largest body are taken") { front in
                try await front.produceNumbers(10_000)
                let padding = String(repeating: " ", count: 5 * 1024 * 1024 - 13)
                try await front.produce(#"{"payload":1\#(padding)}"#)
                    .expect(json: #"{"topic":"orders","offset":10001}"#)
                let page = try await front.get("/topics/orders/consume?limit=10000", accept: "application/x-ndjson")
                #expect(page.body.count { $0 == UInt8(ascii: "\n") } == 10_000)
                #expect(page.headers[.nextOffset] == "10001")
            },
            Check("nesting counts within each payload, up to 128") { front in
                let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
                let single = try await front.produce(#"{"payload":\#(deep)}"#)
                let batch = try await front.produce(#"{"messages":[{"payload":\#(deep)}]}"#)
                let line = try await front.produce(deep, contentType: "application/x-ndjson")
                #expect([single, batch, line].map(\.status) == [.ok, .ok, .ok])
            },
        ]
    }

    /// Payloads that a decoder or encoder on the way would change.
    static let payloads = [
        "null", "true", "0", "-0", "1e400", "1E+2", "1.000", "0.1e-7", "1234567890123456789012345678901234567890",
        #""""#, #""é€😀""#, #""\u00e9\ud83d\ude00\/\"\\""#, #""\ud800""#, "\"\u{2028}\u{2029}\u{7F}\u{FEFF}\"", "[]",
        "{}", #"{"":0}"#, #"{"b":1,"a":2,"b":1}"#, #"{ "a" : [ 1 ,\#t2 ] }"#, #""\",\"timestamp\":1""#,
        #"{"offset":9,"payload":8,"key":"x"}"#, #""data: x\n\nid: 9""#,
        String(repeating: "[", count: 128) + String(repeating: "]", count: 128),
    ]

    private static func expectPayloads(
        in front: HTTPFront, of topic: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let messages = payloads.enumerated().map { index, payload in
            #"{"offset":\#(index + 1),"payload":\#(payload),"timestamp":T}"#
        }
        let end = messages.count + 1
        let page = try await front.get("/topics/\(topic)/consume?limit=100")
        page.expect(messages: messages.joined(separator: ","), next: end, end: end, sourceLocation: sourceLocation)
        let lines = try await front.get("/topics/\(topic)/consume?limit=100", accept: "application/x-ndjson")
        #expect(lines.timeless == messages.map { $0 + "\n" }.joined(), sourceLocation: sourceLocation)
        let events = try await front.events("/topics/\(topic)/consume", upTo: messages.count)
        #expect(events.timeless == eventText(messages), sourceLocation: sourceLocation)
    }
}
