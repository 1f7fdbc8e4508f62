import NIOHTTP1
@testable import Simulation
import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

private typealias Conformance = PortConformance<AWSStore>

@Suite("Simulated S3 and DynamoDB")
struct SimulatedAWSTests {
    @Test(
        "carry the real store, which keeps the promises of the ports on them",
        arguments: Conformance.checks + Conformance.mergingChecks)
    private func conforms(check: Conformance.Check) async throws {
        for pageMaximum in [1, 1000] {
            try SimulatedStore.with(pageMaximum: pageMaximum) { store in
                try await Conformance(now: SimulatedStore.now) { store }.run(check)
            }
        }
    }

    private func put(
        _ key: String, _ condition: S3Request.Condition?, to s3: SimulatedS3, body: [UInt8] = [1], at time: Int64 = 0
    ) -> AWSTransportAnswer {
        let request = S3Request(key: key, operation: .put(body: body, metadata: [], condition: condition))
        return s3.answer(request, at: Timestamp(milliseconds: time))
    }

    @Test("store under a condition only what it allows")
    func conditions() throws {
        let s3 = SimulatedS3(pageMaximum: 10)
        let first = put("topics/t/1", .ifNoneMatch, to: s3)
        #expect(first.status == 200)
        #expect(put("topics/t/1", .ifNoneMatch, to: s3).status == 412)
        let etag = try #require(first.headers.first(name: "etag"))
        #expect(put("topics/t/1", .ifMatch("\"other\""), to: s3).status == 412)
        // As on S3, the same bytes have the same ETag.
        #expect(put("topics/t/1", .ifMatch(etag), to: s3).headers.first(name: "etag") == etag)
        #expect(put("topics/t/1", .ifMatch(etag), to: s3, body: [2]).status == 200)
        #expect(put("topics/t/1", .ifMatch(etag), to: s3, body: [2]).status == 412)
        #expect(put("topics/t/2", .ifMatch(etag), to: s3).status == 404)
        #expect(put("topics/t/1", nil, to: s3).status == 200)
    }

    @Test("list in order of keys, a page at a time, from where they are asked to")
    func lists() {
        let s3 = SimulatedS3(pageMaximum: 2)
        for key in ["topics/t/3", "topics/t/1", "topics/u/1", "topics/t/2", "topics/s/9"] {
            _ = put(key, .ifNoneMatch, to: s3)
        }
        func keys(_ after: String, _ token: String?) -> (keys: [String], isTruncated: Bool) {
            let list = S3Request.List(prefix: "topics/t/", startAfter: after, continuationToken: token, maxKeys: 1000)
            let answer = s3.answer(S3Request(key: "", operation: .list(list)), at: Timestamp(milliseconds: 0))
            let text = String(decoding: answer.body, as: UTF8.self)
            let keys = text.split(separator: "<Key>").dropFirst().map { String($0.prefix { $0 != "<" }) }
            return (keys, text.contains("<IsTruncated>true"))
        }
        #expect(keys("", nil) == (["topics/t/1", "topics/t/2"], true))
        #expect(keys("", "topics/t/2") == (["topics/t/3"], false))
        #expect(keys("topics/t/1", nil) == (["topics/t/2", "topics/t/3"], false))
        #expect(keys("topics/t/3", nil) == ([], false))
    }

    @Test("refuse what is signed more than a quarter of an hour ago, or ahead", arguments: [-1, 1])
    func skew(sign: Int64) async throws {
        try SimulatedStore.with { store in
            let topic = try TopicName("t")
            let time = SimulatedStore.now.advanced(by: .seconds(sign * 901))
            let segment = Segment.filler(
                topic, .first..<Offset.first.advanced(by: 1), appendID: AppendID(high: 1, low: 1), timestamp: time)
            do throws(StoreError) {
                _ = try await store.put(segment, signedAt: time)
                Issue.record("a write was taken that is signed \(sign * 901) s from now")
            } catch {
                #expect(error.code == .signedTooLongAgo)
            }
            let near = SimulatedStore.now.advanced(by: .seconds(sign * 890))
            #expect(try await store.put(segment, signedAt: near) == .stored)
        }
    }

    @Test(
        "do not understand expressions that they do not know",
        arguments: ["ADD #a :b", "SET a = :b", "SET #a = list_append(#a, :b)", "SET #a", "SET #a = :b, "])
    func unknownUpdates(text: String) {
        #expect(throws: ItemExpression.Unknown.self) {
            let update = try ItemExpressionParser.update(text)
            _ = try ItemExpressionEvaluator(names: ["#a": "a"], values: [":b": .integer(1)]).apply(update, to: [:])
        }
    }

    @Test("compute expressions on the item as it was")
    func expressions() throws {
        let evaluator = ItemExpressionEvaluator(names: ["#a": "a", "#b": "b"], values: [":two": .integer(2)])
        let update = try ItemExpressionParser.update("SET #a = #b + :two, #b = if_not_exists(#a, #b) REMOVE #a")
        #expect(try evaluator.apply(update, to: ["b": .integer(5)]) == ["b": .integer(5)])
        func holds(_ text: String, _ item: DynamoDBItem) throws -> Bool {
            try evaluator.holds(ItemExpressionParser.condition(text), on: item)
        }
        #expect(try holds("attribute_exists(#a) AND (#b > :two OR #a <> :two)", ["a": .integer(2), "b": .integer(3)]))
        #expect(try !holds("attribute_exists(#a) AND (#b > :two OR #a <> :two)", ["a": .integer(2), "b": .integer(2)]))
        // A comparison with what is not there does not hold.
        #expect(try !holds("#a >= :two", [:]))
        #expect(try holds("#a <> :two", [:]))
    }
}
