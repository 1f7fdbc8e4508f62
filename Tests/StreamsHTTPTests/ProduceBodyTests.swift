import StreamsAPI
import StreamsModel
import Testing

@testable import StreamsCore
@testable import StreamsHTTP

@Suite("Bodies of produce requests")
struct ProduceBodyTests {
    @Test("of one message give the spans of its parts, as sent")
    func findsOneMessage() throws {
        let body = try parse(#" {"key" : "k", "payload": { "a":1 } ,"headers":{"b":"c"}} "#)
        #expect(body.isSingle)
        #expect(texts(of: body) == [[#"{ "a":1 }"#, #""k""#, #"{"b":"c"}"#]])
    }

    @Test("of a batch give the messages in order")
    func findsBatches() throws {
        let body = try parse(#"{"messages":[{"payload":1},{"key":"","payload":null} , {"headers":{},"payload":[2]}]}"#)
        #expect(!body.isSingle)
        #expect(texts(of: body) == [["1"], ["null", #""""#], ["[2]", "{}"]])
        #expect(try !parse(#"{"messages":[{"payload":1}]}"#).isSingle)
    }

    @Test("of lines give a payload a line, without what surrounds it")
    func findsLines() throws {
        let body = try parse("\n 1 \r\n\t\n{\"payload\":2}\n\"\\n\"", .ndjson)
        #expect(!body.isSingle)
        #expect(texts(of: body) == [["1"], [#"{"payload":2}"#], [#""\n""#]])
    }

    @Test(
        "note line breaks in a message, in whichever part, and nowhere else",
        arguments: [
            (#"{"payload":[1,2]}"#, false), ("{\n\"payload\"\n:\n1\n}\n", false), ("{\"payload\":[1,\n2]}", true),
            ("{\"payload\":[1,\r2]}", true), ("{\"payload\":[1,2]\n,\"headers\":{\n}}", true),
            ("{\"headers\":{\r\n\"a\":\"b\"},\"payload\":1}", true), (#"{"payload":"\n"}"#, false),
            ("{\"payload\":\n1,\"key\":\n\"a\"}", false),
        ])
    func notesLineBreaks(text: String, hasLineBreak: Bool) throws {
        #expect(try parse(text).batch.messages.map(\.hasLineBreak) == [hasLineBreak])
        #expect(try parse(#"{"messages":[\#(text)]}"#).batch.messages.map(\.hasLineBreak) == [hasLineBreak])
    }

    @Test(
        "of lines note carriage returns within a line",
        arguments: [("[1,2]", false), ("[1,\r2]", true), ("\r[1,2]\r", false), ("\r1\r", false), ("{\r}", true)])
    func notesCarriageReturns(text: String, hasLineBreak: Bool) throws {
        #expect(try parse(text, .ndjson).batch.messages.map(\.hasLineBreak) == [hasLineBreak])
    }

    @Test("that end too early are not JSON at their end, whatever else is wrong before")
    func refusesEveryTruncation() {
        let texts = [
            #"{"messages":[{"payload":{"a":[1,"b\u00e9"]},"key":"k"},{"payload":2,"x":[]}],"y":{"z":null}}"#,
            #"{"payload":"a","payload":true,"headers":{"a":1},"key":5,"messages":[1,{},[]]}"#,
            #"[{"payload":1},"a"]"#,
        ]
        for text in texts {
            for length in 1..<text.utf8.count {
                let error = refusal(of: String(decoding: Array(text.utf8)[..<length], as: UTF8.self))
                #expect(error?.code == .invalidJSON, "\(length) bytes of \(text)")
                #expect(error?.context.position == length, "\(length) bytes of \(text)")
            }
        }
    }

    @Test("with a wrong byte are refused at that byte or a later one, and never accepted in part")
    func refusesWrongBytes() {
        let text = Array(#"{"messages":[{"payload":{"a":[1,"b"]},"key":"k"},{"payload":2}]}"#.utf8)
        for place in text.indices {
            for byte in [0x00, 0x07, 0x80, 0xFF] as [UInt8] {
                var changed = text
                changed[place] = byte
                let error = refusal(of: changed)
                #expect(error?.code == .invalidJSON && error?.context.position == place)
            }
        }
    }

    @Test("of the wrong shape name the first member that is wrong")
    func namesTheFirstMember() {
        #expect(refusal(of: #"{"x":1,"key":2,"headers":3}"#)?.context.parameter == "x")
        #expect(refusal(of: #"{"key":2,"x":1}"#)?.context.parameter == "key")
        #expect(refusal(of: #"{"messages":[{"payload":1},{"headers":0}],"x":1}"#)?.context.parameter == "headers")
    }

    @Test("a member name of any length makes an answer of moderate size")
    func boundsTheAnswer() throws {
        let name = String(repeating: "é", count: 100_000)
        let error = try #require(refusal(of: #"{"\#(name)":1}"#))
        #expect(error.code == .invalidParameter)
        #expect(ProblemDocument.encode(error).count < 2000)
    }

    @Test("at the limits pass, and one more does not")
    func keepsLimits() throws {
        var limits = Limits()
        limits.messageBytes = 12
        limits.batchMessages = 2
        limits.keyBytes = 3
        limits.headersBytes = 9
        limits.jsonNesting = 2
        for (good, bad, limit) in [
            (#"{"payload":123456789012}"#, #"{"payload":1234567890123}"#, "message"),
            (#"{"payload":1,"headers":{"a":""}}"#, #"{"payload":1,"headers":{"a":"x1"}}"#, "headers"),
            (#"{"payload":1,"key":"abc"}"#, #"{"payload":1,"key":"abcd"}"#, "key"),
            (#"{"payload":[[]]}"#, #"{"payload":[[[]]]}"#, "json_nesting"),
            (
                #"{"messages":[{"payload":1},{"payload":2}]}"#,
                #"{"messages":[{"payload":1},{"payload":2},{"payload":3}]}"#,
                "batch"
            ),
        ] {
            _ = try ProduceBody(Array(good.utf8), mediaType: .json, limits: limits)
            let error = #expect(throws: StreamsError.self) {
                try ProduceBody(Array(bad.utf8), mediaType: .json, limits: limits)
            }
            #expect(error?.code == .tooLarge && error?.context.limit == limit, "\(bad)")
        }
    }

    private func parse(_ text: String, _ mediaType: MediaType = .json) throws -> ProduceBody {
        try ProduceBody(Array(text.utf8), mediaType: mediaType, limits: Limits())
    }

    private func refusal(of text: String) -> StreamsError? { refusal(of: Array(text.utf8)) }

    private func refusal(of bytes: [UInt8]) -> StreamsError? {
        do throws(StreamsError) {
            _ = try ProduceBody(bytes, mediaType: .json, limits: Limits())
            return nil
        } catch {
            return error
        }
    }

    /// Payload, key and headers of each message, those that are there.
    private func texts(of body: ProduceBody) -> [[String]] {
        body.batch.messages.map { spans in
            [spans.payload, spans.key, spans.headers].compactMap(\.self).map {
                String(decoding: body.batch.bytes[$0], as: UTF8.self)
            }
        }
    }
}
