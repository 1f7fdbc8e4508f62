import Logging
import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@testable import StreamsAWS

@Suite("The periods of retention")
struct PeriodsTests {
    private let day: Int64 = 86_400_000
    private let periods = Periods(retentionDays: 30)

    private func time(_ days: Int64, minutes: Int64 = 0) -> Timestamp {
        Timestamp(milliseconds: days * day + minutes * 60_000)
    }

    @Test("are days of UTC, to which the next quarter of an hour still belongs")
    func days() {
        #expect(periods.day(ofClaimAt: time(100, minutes: 15)) == 99)
        #expect(periods.day(ofClaimAt: time(100, minutes: 17)) == 100)
        #expect(periods.day(ofClaimAt: time(101, minutes: 15)) == 100)
        #expect(periods.day(ofClaimAt: Timestamp(milliseconds: -1)) == -1)
    }

    @Test("count until the first object of the day may be gone, less a quarter of an hour")
    func retained() {
        // An object of day 100 stands at least until day 131 begins.
        #expect(periods.retained(at: time(131, minutes: -17))?.lowerBound == 100)
        #expect(periods.retained(at: time(131, minutes: -15))?.lowerBound == 101)
        #expect(Periods(retentionDays: nil).retained(at: time(131)) == nil)
    }
}

@Suite("A topic's item")
struct TopicItemTests {
    private let topic: TopicName

    init() throws { topic = try TopicName("t") }

    private func item(_ numbers: [String: Int64]) throws -> TopicItem {
        try TopicItem(numbers.mapValues { .integer($0) }, topic: topic)
    }

    private func earliest(_ numbers: [String: Int64], retained: ClosedRange<Int>? = 70...100) throws -> Int64 {
        try item(numbers).earliest(retained: retained).rawValue
    }

    @Test("has its low mark at the smallest mark that counts, or at the trim above it")
    func lowMark() throws {
        let marks: [String: Int64] = ["current_offset": 50, "m60": 5, "m69": 9, "m70": 12, "m90": 30]
        #expect(try earliest(marks) == 13)
        #expect(try earliest(marks, retained: 69...99) == 10)
        #expect(try earliest(marks, retained: 71...101) == 31)
        #expect(try earliest(marks, retained: 91...121) == 51)
        #expect(try earliest(marks, retained: nil) == 1)
        #expect(try earliest(marks.merging(["trimmed_before": 40]) { $1 }) == 40)
        #expect(try earliest(marks.merging(["trimmed_before": 7]) { $1 }) == 13)
        #expect(try earliest(marks.merging(["trimmed_before": 900]) { $1 }) == 51)
        #expect(try earliest(["current_offset": 0]) == 1)
    }

    @Test("says nothing of a newest claim that lies above its counter")
    func claimAbove() throws {
        #expect(try item(["current_offset": 5, "claim_offset": 6]).head(retained: nil).lastClaimStart == nil)
        #expect(try item(["current_offset": 5, "claim_offset": 5]).head(retained: nil).lastClaimStart?.rawValue == 5)
        #expect(try item(["current_offset": 5, "claim_offset": 0]).head(retained: nil).lastClaimStart == nil)
    }

    @Test(
        "is refused where its numbers are none",
        arguments: ["-1", "1.5", "", "x", "9223372036854775807", "9223372036854775808", "1e3"])
    func refused(number: String) throws {
        for name in ["current_offset", "claim_offset", "claimed_at", "trimmed_before", "closed_until", "m20000"] {
            var item: DynamoDBItem = ["current_offset": .integer(5)]
            item[name] = .number(number)
            #expect(throws: StoreError.self) { try TopicItem(item, topic: topic) }
        }
        #expect(throws: StoreError.self) { try TopicItem(["current_offset": .string("5")], topic: topic) }
        #expect(throws: StoreError.self) { try TopicItem([:], topic: topic) }
    }
}

@Suite("A segment's object")
struct SegmentObjectTests {
    private let topic: TopicName

    init() throws { topic = try TopicName("orders.v1") }

    private func key(_ last: Int64) throws -> SegmentKey {
        SegmentKey(topic: topic, last: try #require(Offset(last)))
    }

    private func object(_ text: String, _ metadata: [String: String] = [:]) -> S3Object {
        S3Object(
            head: S3ObjectHead(
                etag: "\"e\"", bodyBytes: text.utf8.count, metadata: metadata, contentType: nil,
                lastModified: Timestamp(milliseconds: 77_000)),
            body: Array(text.utf8))
    }

    @Test("has a key that sorts as its offset does, and is read back from it")
    func keys() throws {
        let number: Int64 = 4_611_686_018_427_387_903
        for last in [1, 9, 10, 12345, number] {
            let key = try key(last)
            #expect(SegmentKey(objectKey: key.objectKey, of: topic) == key)
        }
        #expect(try key(42).objectKey == "topics/orders.v1/00000000000000000042.json")
        for other in [
            "topics/orders.v1/42.json", "topics/orders.v1/00000000000000000042", "topics/orders.v1/",
            "topics/orders.v1/00000000000000000000.json", "topics/orders.v1/99999999999999999999.json",
            "topics/orders.v1/+0000000000000000042.json", "topics/orders.v2/00000000000000000042.json",
            "topics/orders.v1/0000000000000000004x.json", "", "topics/orders.v1/0000000000000000004\u{663}.json",
        ] { #expect(SegmentKey(objectKey: other, of: topic) == nil) }
    }

    @Test("is one message where it has no metadata, however that is written")
    func prototype() throws {
        let expected = "{\"offset\":7,\"payload\":{\"a\": [1,\"x\"]},\"timestamp\":1702000000000}\n"
        for text in [
            #"{"offset":7,"payload":{"a": [1,"x"]},"timestamp":1702000000000}"#,
            #"{"timestamp":1702000000000, "payload":{"a": [1,"x"]}, "offset":7}"#,
            "{\n  \"offset\": 7,\n  \"payload\": {\n    \"a\": [\n      1,\n      \"x\"\n    ]\n  },\n"
                + "  \"timestamp\": 1702000000000\n}\n",
        ] {
            let segment = try SegmentObject.segment(object(text), at: key(7))
            #expect(segment.range == (try key(7).last)..<(try key(8).last))
            let body = String(decoding: segment.body, as: UTF8.self)
            #expect(body.replacing(": ", with: ":") == expected.replacing(": ", with: ":"))
            #expect(segment.timestamp.milliseconds == 1_702_000_000_000)
        }
        let undated = try SegmentObject.segment(object(#"{"payload":null}"#), at: key(7))
        #expect(undated.timestamp.milliseconds == 77_000)
    }

    @Test(
        "without metadata is refused where it is not one message",
        arguments: ["", "{}", "[]", "7", #"{"offset":7}"#, #"{"payload":1"#, #"{"payload":1}{"payload":2}"#, "\u{0}"])
    func notAMessage(text: String) throws {
        #expect(throws: StoreError.self) { try SegmentObject.segment(object(text), at: key(7)) }
    }

    @Test(
        "is refused where its metadata is not sound",
        arguments: [
            ("format", "2"), ("format", ""), ("first", "0"), ("first", "8"), ("first", "-1"), ("first", "x"),
            ("count", "2"), ("count", ""), ("append-id", "12"), ("append-id", ""), ("kind", "other"),
            ("timestamp", "soon"), ("previous-claim", "9223372036854775808"),
        ])
    func unsound(name: String, value: String) throws {
        let segment = Segment(
            topic: topic, range: (try key(5).last)..<(try key(8).last), kind: .messages,
            appendID: AppendID(high: 1, low: 2), previousClaim: try key(3).last,
            timestamp: Timestamp(milliseconds: 5), body: Array("x\n".utf8))
        var metadata: [String: String] = [:]
        for field in SegmentObject.metadata(of: segment) { metadata[field.name] = field.value }
        #expect(try SegmentObject.segment(object("x\n", metadata), at: key(7)) == segment)
        metadata[name] = value
        #expect(throws: StoreError.self) { try SegmentObject.segment(object("x\n", metadata), at: key(7)) }
    }
}

@Suite("The settings of the store on AWS")
struct AWSStoreSettingsTests {
    private func failure(_ environment: [String: String]) -> String? {
        let environment = ["BUCKET_NAME": "bucket", "COUNTERS_TABLE": "table"].merging(environment) { $1 }
        do {
            _ = try AWSStoreSettings(AWSStoreSettings.Texts(environment: environment))
            return nil
        } catch {
            return error.description
        }
    }

    @Test("are refused with a sentence that names the variable")
    func refused() {
        for (name, values) in [
            "BUCKET_NAME": [
                "", "ab", "Bucket", "a b", "a_b", "-abc", "s3://bucket", String(repeating: "b", count: 64),
            ],
            "COUNTERS_TABLE": ["", "ab", "t/t", "tab le", "a\u{10}bc", "arn:aws:dynamodb:x"],
            "STREAMS_RETENTION": ["30", "36h", "0d", "-1d", "d", "always"],
            "STREAMS_RECOVERY_WAIT": ["-1", "1m", "86401", "x"],
        ] {
            for value in values where !(value.isEmpty && name.hasPrefix("STREAMS")) {
                let message = failure([name: value])
                let isSentence = message.map { $0.hasPrefix("\(name) is ") && $0.hasSuffix(".") && !$0.contains("\n") }
                #expect(isSentence == true, "\(name)=\(value): \(message ?? "accepted")")
            }
        }
    }

    @Test("are refused all at once, in one line")
    func several() {
        let message = failure(["BUCKET_NAME": "", "COUNTERS_TABLE": "", "STREAMS_RECOVERY_WAIT": "x"])
        for name in ["BUCKET_NAME is not set", "COUNTERS_TABLE is not set", "STREAMS_RECOVERY_WAIT is a number"] {
            #expect(message?.contains(name) == true)
        }
    }

    @Test("have the documented defaults and forms")
    func accepted() throws {
        #expect(failure([:]) == nil)
        #expect(failure(["STREAMS_RETENTION": "", "STREAMS_RECOVERY_WAIT": ""]) == nil)
        var texts = AWSStoreSettings.Texts(environment: ["BUCKET_NAME": "a.b-1", "COUNTERS_TABLE": "T_1.x-"])
        #expect(try AWSStoreSettings(texts).store.retentionDays == 30)
        #expect(try AWSStoreSettings(texts).recoveryWait == .seconds(1080))
        texts.retention = "forever"
        texts.recoveryWait = "2"
        #expect(try AWSStoreSettings(texts).store.retentionDays == nil)
        #expect(try AWSStoreSettings(texts).recoveryWait == .seconds(2))
        texts.retention = "24h"
        #expect(try AWSStoreSettings(texts).store.retentionDays == 1)
    }
}
