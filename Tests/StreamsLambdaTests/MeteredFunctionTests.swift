import Foundation
import LambdaRuntime
import StreamsCore
import StreamsLambda
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

@Suite("The function's metrics")
struct MeteredFunctionTests {
    /// Counts that a test changes, and the lines that came of them.
    private final class Meter: Sendable {
        let counts: Mutex<MeteredFunction.Counts>
        let lines = Mutex<[[UInt8]]>([])

        init() async throws {
            let fresh = try await LambdaFront.with(.rest) { $0.log.counters.snapshot }
            counts = Mutex(MeteredFunction.Counts(log: fresh, requests: [:], throttles: 0))
        }

        /// The lines since the last call.
        func take() throws -> [[String: Any]] {
            let taken = lines.withLock { lines in
                defer { lines = [] }
                return lines
            }
            return try taken.map { line in
                #expect(line.last == UInt8(ascii: "\n") && line.count(where: { $0 == UInt8(ascii: "\n") }) == 1)
                return try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
            }
        }

        func metered(_ answer: InvocationAnswer) -> MeteredFunction {
            MeteredFunction(Fixed(answer: answer), name: "streams-api", time: SystemTime()) {
                self.counts.withLock { $0 }
            } write: { line in
                self.lines.withLock { $0.append(line) }
            }
        }
    }

    private struct Fixed: InvocationHandler {
        var answer: InvocationAnswer

        func handle(_ invocation: Invocation) async throws(InvocationFailure) -> InvocationAnswer {
            if invocation.id == "bad" { throw InvocationFailure(type: "Event.Unknown", message: "no event") }
            return answer
        }

        func answerInsteadOfTooLarge(_ invocation: Invocation) -> [UInt8] { [1] }
    }

    private static let invocation = Invocation(id: "1", deadlineMilliseconds: 0, event: [])

    private func numbers(_ line: [String: Any]) throws -> [String: Int] {
        let head = try #require(line["_aws"] as? [String: Any])
        #expect((head["Timestamp"] as? Int ?? 0) > 1_600_000_000_000)
        let directive = try #require((head["CloudWatchMetrics"] as? [[String: Any]])?.first)
        #expect(directive["Namespace"] as? String == "ServerlessStreams")
        let dimensions = try #require((directive["Dimensions"] as? [[String]])?.first)
        for dimension in dimensions { #expect(line[dimension] is String, "a dimension without a value") }
        #expect(dimensions == (line["operation"] == nil ? ["function"] : ["function", "operation"]))
        let metrics = try #require(directive["Metrics"] as? [[String: String]])
        var numbers: [String: Int] = [:]
        for metric in metrics {
            #expect(metric["Unit"] == "Count")
            let name = try #require(metric["Name"])
            numbers[name] = try #require(line[name] as? Int)
        }
        return numbers
    }

    @Test("an invocation tells what it added to each count, and the first one of the start")
    func changes() async throws {
        let meter = try await Meter()
        let function = meter.metered(.whole([]))
        meter.counts.withLock { counts in
            counts.log.appendRequests = 1
            counts.log.messages = 3
            counts.log.segments = 1
            counts.requests = ["s3.PutObject": 1, "dynamodb.UpdateItem": 2]
        }
        _ = try await function.handle(Self.invocation)
        var lines = try meter.take()
        try #require(lines.count == 3)
        #expect(lines.allSatisfy { $0["function"] as? String == "streams-api" })
        #expect(
            try numbers(lines[0])
                == ["AppendRequests": 1, "MessagesAppended": 3, "SegmentsWritten": 1, "ColdStarts": 1])
        #expect(lines.map { $0["operation"] as? String } == [nil, "dynamodb.UpdateItem", "s3.PutObject"])
        #expect(try numbers(lines[1]) == ["AWSRequests": 2])

        meter.counts.withLock { counts in
            counts.log.fillers = 2
            counts.log.reclaims = 1
            counts.log.closures = 1
            counts.requests["s3.PutObject"] = 4
            counts.throttles = 5
        }
        _ = try await function.handle(Self.invocation)
        lines = try meter.take()
        try #require(lines.count == 2)
        #expect(
            try numbers(lines[0])
                == ["FillersWritten": 2, "ClaimsTakenAnew": 1, "TopicsClosed": 1, "Throttles": 5])
        #expect(try numbers(lines[1]) == ["AWSRequests": 3])
    }

    @Test("where nothing changed there is no line, and a refused event counts too")
    func silence() async throws {
        let meter = try await Meter()
        let function = meter.metered(.whole([]))
        let bad = Invocation(id: "bad", deadlineMilliseconds: 0, event: [])
        await #expect(throws: InvocationFailure.self) { try await function.handle(bad) }
        #expect(try meter.take().map(numbers) == [["ColdStarts": 1]])
        _ = try await function.handle(Self.invocation)
        #expect(try meter.take().isEmpty)
    }

    @Test("a streamed answer is counted when it ends")
    func streams() async throws {
        struct Sink: InvocationStream {
            func write(_ bytes: [UInt8]) async throws {}
        }
        let meter = try await Meter()
        let function = meter.metered(
            .stream(prelude: []) { _ in meter.counts.withLock { $0.requests = ["s3.GetObject": 7] } })
        guard case .stream(_, let body) = try await function.handle(Self.invocation) else {
            Issue.record("the answer is no stream any more")
            return
        }
        #expect(try meter.take().map(numbers) == [["ColdStarts": 1]])
        try await body(Sink())
        #expect(try meter.take().map(numbers) == [["AWSRequests": 7]])
    }
}
