import Foundation
import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("The segment format")
struct SegmentFormatTests {
    @Test("writes one line a message, exactly as documented")
    func documentedBytes() throws {
        let segment = try Segment.of(
            [
                MessageText(#"{"a": 1}"#),
                MessageText("null", key: #""k\u0031""#, headers: #"{"h":"v", "h":"w"}"#),
                MessageText("-0", headers: "{}"), MessageText(#""x""#, key: #""""#),
            ], first: 42, at: 1_702_000_000_000)
        #expect(
            String(decoding: segment.body, as: UTF8.self) == #"""
                {"offset":42,"payload":{"a": 1},"timestamp":1702000000000}
                {"offset":43,"payload":null,"timestamp":1702000000000,"key":"k\u0031","headers":{"h":"v", "h":"w"}}
                {"offset":44,"payload":-0,"timestamp":1702000000000,"headers":{}}
                {"offset":45,"payload":"x","timestamp":1702000000000,"key":""}

                """#)
    }

    @Test(
        "removes line breaks and the indentation after them, and nothing else",
        arguments: [
            ("[1,\n    2]", "[1,2]"), ("{\r\n\t\"a\" : 1 ,\r\n\t\"b\":2\r\n}", "{\"a\" : 1 ,\"b\":2}"),
            ("[1, \n\n \n  2,  3]", "[1, 2,  3]"), ("[\r1\r]", "[1]"), ("[ 1 ]", "[ 1 ]"),
            ("[\"a  b\",\n\"\\n  \"]", #"["a  b","\n  "]"#),
            ("{\n}", "{}"), ("[\t\n]", "[\t]"), ("[\n \"\u{2028}\"]", "[\"\u{2028}\"]"),
        ])
    func lineBreaks(_ sent: String, _ stored: String) throws {
        for message in [MessageText(sent), MessageText("1", headers: "{\"h\":\(sent)}")] {
            let segment = try Segment.of([message], first: 1, at: 5)
            let text = message.headers == nil ? sent : "1"
            let expected =
                message.headers == nil
                ? "{\"offset\":1,\"payload\":\(stored),\"timestamp\":5}\n"
                : "{\"offset\":1,\"payload\":\(text),\"timestamp\":5,\"headers\":{\"h\":\(stored)}}\n"
            #expect(String(decoding: segment.body, as: UTF8.self) == expected)
        }
    }

    @Test("keeps every valid text byte for byte", arguments: JSONCases.valid)
    func keepsBytes(_ example: JSONCase) throws {
        let text = String(decoding: example.bytes, as: UTF8.self)
        let segment = try Segment.of([MessageText(text)], first: 1, at: 0)
        let hasLineBreak = example.bytes.contains { $0 == 0x0A || $0 == 0x0D }
        let span = MessageLine.payload(in: segment.body, line: 0..<segment.body.count)
        #expect(hasLineBreak || Array(segment.body[span]) == example.bytes)
        #expect(span.lowerBound == #"{"offset":1,"payload":"#.utf8.count)
    }

    @Test("counts offsets up to the largest", arguments: [1, 9, 10, 99, 100, 1_000_000_007, Int64.max - 3])
    func offsets(_ first: Int64) throws {
        let segment = try Segment.of([MessageText("1"), MessageText("2")], first: first, at: -1)
        let lines = String(decoding: segment.body, as: UTF8.self).split(separator: "\n")
        #expect(lines == (0..<2).map { #"{"offset":\#(first + Int64($0)),"payload":\#($0 + 1),"timestamp":-1}"# })
    }

    @Test("joins the batches of several requests into one run of offsets")
    func severalBatches() throws {
        let first: Offset = 7
        var encoder = SegmentEncoder(first: first, timestamp: Timestamp(milliseconds: 3), batchBytes: 0, count: 0)
        encoder.append(try MessageBatch.of("1", "2"))
        encoder.append(try MessageBatch.of("3"))
        let lines = String(decoding: encoder.body, as: UTF8.self).split(separator: "\n")
        #expect(lines == (0..<3).map { #"{"offset":\#(7 + $0),"payload":\#($0 + 1),"timestamp":3}"# })
    }

    @Test("finds the payload of a line, whatever the payload looks like", arguments: TrickyPayloads.all)
    func payloadSpan(_ payload: String) throws {
        for message in [MessageText(payload), MessageText(payload, key: #""payload\":""#, headers: #"{"payload":9}"#)] {
            let segment = try Segment.of([MessageText("0"), message, MessageText("0")], first: 9, at: 1)
            let lines = segment.lines
            try #require(lines.count == 3)
            let span = MessageLine.payload(in: segment.body, line: lines[1])
            #expect(String(decoding: segment.body[span], as: UTF8.self) == payload)
        }
    }

    @Test(
        "finds the payload behind other members in any order, and takes a foreign line whole",
        arguments: [
            (#"{"key":"payload","timestamp":1,"payload":[7],"offset":1}"#, "[7]"),
            (#"{ "p\u0061yload" : {"payload":1} , "x":2 }"#, #"{"payload":1}"#), (#"{"offset":1}"#, nil), ("[1]", nil),
            ("garbage", nil), ("{}", nil), ("", nil), (#"{"payload":"#, nil), (#"{"payload":tru}"#, nil),
        ] as [(String, String?)])
    func foreignLines(_ line: String, _ payload: String?) {
        let body = Array(("x" + line + "\n").utf8)
        let range = 1..<1 + line.utf8.count
        let span = MessageLine.payload(in: body, line: range)
        #expect(String(decoding: body[span], as: UTF8.self) == payload ?? line)
    }
}

@Suite("A slice of a segment")
struct SegmentSliceTests {
    let payloads = TrickyPayloads.all
    var segment: Segment {
        get throws { try Segment.of(payloads.map { MessageText($0) }, first: 100, at: 1) }
    }

    @Test("holds exactly the messages from any start to any limit")
    func byLimit() throws {
        let segment = try segment
        for start in 0..<payloads.count {
            for limit in 1...payloads.count + 1 {
                let slice = try #require(
                    SegmentSlice(
                        of: segment, from: segment.range.lowerBound.advanced(by: start), limit: limit,
                        bytesMaximum: .max, takesFirst: false))
                let expected = payloads[start...].prefix(limit)
                #expect(slice.payloads == Array(expected))
                #expect(slice.range == offsets(100 + start, expected.count))
                #expect(slice.payloadBytes == expected.reduce(0) { $0 + $1.utf8.count })
            }
        }
    }

    @Test("counts payload bytes exactly: the last byte that fits, fits")
    func byBytes() throws {
        let segment = try segment
        for start in 0..<payloads.count {
            let from = segment.range.lowerBound.advanced(by: start)
            let total = payloads[start...].reduce(0) { $0 + $1.utf8.count }
            for bytesMaximum in 0...total + 1 {
                var expected: [String] = []
                var size = 0
                for payload in payloads[start...] {
                    size += payload.utf8.count
                    if size > bytesMaximum { break }
                    expected.append(payload)
                }
                let slice = SegmentSlice(
                    of: segment, from: from, limit: 1000, bytesMaximum: bytesMaximum, takesFirst: false)
                #expect(slice?.payloads ?? [] == expected, "\(bytesMaximum) bytes from \(start)")
                let atLeastOne = SegmentSlice(
                    of: segment, from: from, limit: 1000, bytesMaximum: bytesMaximum, takesFirst: true)
                #expect(atLeastOne?.payloads == (expected.isEmpty ? [payloads[start]] : expected))
                let two = SegmentSlice(of: segment, from: from, limit: 2, bytesMaximum: bytesMaximum, takesFirst: true)
                #expect(two?.payloads == Array((expected.isEmpty ? [payloads[start]] : expected).prefix(2)))
            }
        }
    }

    @Test("shares the body of its segment and ends after a line's end")
    func whole() throws {
        let segment = try segment
        let slice = try #require(
            SegmentSlice(
                of: segment, from: segment.range.lowerBound, limit: .max, bytesMaximum: .max, takesFirst: true))
        #expect(slice.bytes == 0..<segment.body.count)
        #expect(slice.range == segment.range)
        #expect(slice.body == segment.body)
    }

    @Test("takes a body that the prototype wrote: one object without a line's end")
    func prototype() throws {
        var segment = try Segment.of([MessageText("1")], first: 5, at: 1)
        segment.body = Array(#"{"offset":5,"payload":"old","timestamp":7}"#.utf8)
        let slice = try #require(
            SegmentSlice(of: segment, from: segment.range.lowerBound, limit: 10, bytesMaximum: 3, takesFirst: true))
        #expect(slice.bytes == 0..<segment.body.count)
        #expect(slice.payloadBytes == 5)
    }

    @Test("gives back what was encoded, for random messages", arguments: 1...40)
    func roundTrip(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let texts = TrickyPayloads.all
        let messages = (0..<1 + random.next(below: 20)).map { _ in
            MessageText(
                texts[random.next(below: texts.count)],
                key: random.happens(percent: 40) ? #""k\#(random.next(below: 9))\n""# : nil,
                headers: random.happens(percent: 40) ? #"{"payload":{"}":"{"}}"# : nil)
        }
        let first = 1 + random.next(below: 1_000_000)
        let segment = try Segment.of(messages, first: Int64(first), at: Int64(random.next(below: 1_000_000_000)))
        #expect(segment.lines.count == messages.count)
        for (number, line) in segment.lines.enumerated() {
            let read = try #require(try ReadMessage(segment.body[line]))
            #expect(read.offset == Int64(first + number))
            #expect(read.timestamp == segment.timestamp.milliseconds)
            #expect(read.keyCount == (messages[number].key == nil ? 0 : 1) + (messages[number].headers == nil ? 0 : 1))
            let span = MessageLine.payload(in: segment.body, line: line)
            #expect(String(decoding: segment.body[span], as: UTF8.self) == messages[number].payload)
        }
    }

    private func offsets(_ first: Int, _ count: Int) -> Range<Offset> {
        let start = Offset.first.advanced(by: first - 1)
        return start..<start.advanced(by: count)
    }
}

/// Payloads that look like a line of a segment, or that have a size that is easily got wrong.
enum TrickyPayloads {
    static let all = [
        "1", #"{"offset":1,"payload":2,"timestamp":3}"#, #"","payload":"#.debugDescription, #""}""#, "[]", "{}",
        #"{"timestamp":1}"#, #""a\\""#, "\"é😀\u{2028}\"", #""\u007d,\"timestamp\":""#, "null", "  ".debugDescription,
        #"[[["payload"]],{"payload":{"payload":"payload"}}]"#, #""\ud800""#, "1234567890123456789012345678901234567890",
    ]
}

extension Segment {
    static func of(_ messages: [MessageText], first: Int64, at milliseconds: Int64) throws -> Segment {
        let start = try #require(Offset(first))
        let batch = try MessageBatch.of(messages)
        let timestamp = Timestamp(milliseconds: milliseconds)
        var encoder = SegmentEncoder(
            first: start, timestamp: timestamp, batchBytes: batch.byteCount, count: messages.count)
        encoder.append(batch)
        return Segment(
            topic: try TopicName("t"), range: start..<start.advanced(by: messages.count), kind: .messages,
            appendID: AppendID(high: 1, low: 2), previousClaim: nil, timestamp: timestamp, body: encoder.body)
    }

    /// The spans of the lines, their ends included, found without the code under test.
    var lines: [Range<Int>] {
        var lines: [Range<Int>] = []
        var start = 0
        for (index, byte) in body.enumerated() where byte == 0x0A {
            lines.append(start..<index + 1)
            start = index + 1
        }
        return lines
    }
}

extension SegmentSlice {
    /// The payloads' texts, found by the lines' own shape.
    var payloads: [String] {
        body[bytes].split(separator: 0x0A).map { line in
            let text = String(decoding: line, as: UTF8.self)
            let start = text.range(of: #","payload":"#)?.upperBound ?? text.startIndex
            let end = text.range(of: #","timestamp":"#, options: .backwards)?.lowerBound ?? text.endIndex
            return String(text[start..<end])
        }
    }
}

/// A stored line as another parser reads it.
struct ReadMessage: Equatable {
    var offset: Int64
    var timestamp: Int64
    /// How many of `key` and `headers` are there.
    var keyCount: Int

    init?(_ line: ArraySlice<UInt8>) throws {
        // Foundation refuses lone surrogates, which are not what is asked here.
        let text = String(decoding: line, as: UTF8.self).replacing("\\ud800", with: "\\u0064")
        guard let members = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let offset = members["offset"] as? Int64, let timestamp = members["timestamp"] as? Int64
        else { return nil }
        self.offset = offset
        self.timestamp = timestamp
        keyCount = members.keys.count { $0 == "key" || $0 == "headers" }
        guard members.count == 3 + keyCount, members["payload"] != nil else { return nil }
    }
}
