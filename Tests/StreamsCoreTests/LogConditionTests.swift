@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

@Suite("Appending on conditions", .timeLimit(.minutes(2)))
struct LogConditionTests {
    let laboratory: Laboratory
    let topic: TopicName
    let log: Log

    init() throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
        log = laboratory.makeLog()
    }

    private func append(
        _ text: String, expected: Offset? = nil, token: String? = nil
    ) async throws -> AppendReceipt {
        try await log.append(
            .of(text), to: topic,
            conditions: AppendConditions(
                expectedOffset: expected, fencingToken: try token.map { try FencingToken($0) }))
    }

    private func failure(_ body: () async throws -> Void) async -> StreamsError? {
        do { try await body() } catch let error as StreamsError { return error } catch { Issue.record(error) }
        return nil
    }

    @Test("succeeds where the topic ends as expected, and says otherwise where it does")
    func expected() async throws {
        try await laboratory.running(log) { () async throws in
            let early = await failure { _ = try await append("1", expected: 2) }
            #expect(early?.code == .offsetMismatch && early?.context.endOffset == 1)
            #expect(await laboratory.code { _ = try await log.info(of: topic) } == .topicNotFound)
            #expect(try await append("1", expected: 1).range == 1..<2)
            #expect(try await append("2", expected: 2).range == 2..<3)
            let late = await failure { _ = try await append("3", expected: 2) }
            #expect(late?.code == .offsetMismatch && late?.context.endOffset == 3)
            #expect(log.counters.snapshot.mismatches == 2)
        }
        #expect(await laboratory.layout() == "1-1 2-2")
    }

    @Test("is refused, and not claimed anew, when readers have closed its range")
    func filled() async throws {
        let reader = laboratory.makeLog()
        let gate = laboratory.makeGate()
        try await laboratory.running(log, reader) { () async throws in
            _ = try await append("1")
            laboratory.store.plan { call in
                if case .put(let segment) = call, segment.kind == .messages { .held(at: gate) } else { .none }
            }
            async let refused = failure { _ = try await append("2", expected: 2) }
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            laboratory.time.advance(by: .seconds(6))
            #expect(try await laboratory.read(reader, .offset(2)).next == 3)
            gate.open()
            let error = await refused
            #expect(error?.code == .offsetMismatch && error?.context.endOffset == 3)
        }
        #expect(await laboratory.layout() == "1-1 (2-2)")
    }

    @Test("succeeds where the answer to its claim was lost")
    func lostAnswer() async throws {
        let count = Shared(0)
        laboratory.store.plan { call in
            guard case .claim = call,
                count.change({
                    $0 += 1; return $0
                }) == 2
            else { return .none }
            return .answerLost
        }
        try await laboratory.running(log) { () async throws in
            try await laboratory.withTimePassing { () async throws in
                _ = try await append("1")
                // The third call is the second claim's retry.
                #expect(try await append("2", expected: 2).range == 2..<3)
            }
        }
    }

    @Test("lets one of many that expect the same through, and none of those wait for another")
    func oneOfMany() async throws {
        try await laboratory.running(log) { () async throws in
            let ranges = try await withThrowingTaskGroup(of: Range<Offset>?.self) { group in
                for number in 1...16 {
                    group.addTask { try? await append("\(number)", expected: 1).range }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(ranges.compactMap { $0 } == [1..<2])
        }
    }

    @Test("needs the token of a fenced topic, from the moment that setting it returned")
    func fence() async throws {
        try await laboratory.running(log) { () async throws in
            #expect(await laboratory.code { _ = try await append("1", token: "a") } == .fenced)
            #expect(
                await laboratory.code { _ = try await log.fence(topic, token: FencingToken("a")) } == .topicNotFound)
            _ = try await append("1")
            let info = try await log.fence(topic, token: FencingToken("a"))
            #expect(info.end == 2 && info.isFenced)
            #expect(await laboratory.code { _ = try await append("2") } == .fenced)
            #expect(try await append("2", token: "a").range == 2..<3)
            let token = try FencingToken("a")
            #expect(try await log.fence(topic, token: FencingToken("b"), current: token).end == 3)
            #expect(await laboratory.code { _ = try await log.fence(topic, token: nil, current: token) } == .fenced)
            #expect(await laboratory.code { _ = try await append("3", token: "a") } == .fenced)
            #expect(try await append("3", expected: 3, token: "b").range == 3..<4)
            #expect(try await !log.fence(topic, token: nil).isFenced)
            #expect(try await append("4").range == 4..<5)
        }
    }

    @Test("with one token and nothing else is batched with its like, and with nobody else's")
    func fencedBatches() async throws {
        let gate = laboratory.makeGate()
        try await laboratory.running(log) { () async throws in
            _ = try await append("0")
            _ = try await log.fence(topic, token: FencingToken("a"))
            laboratory.store.plan { call in
                if case .put = call { .held(at: gate) } else { .none }
            }
            async let first = append("1", token: "a")
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            async let second = append("2", token: "a")
            async let third = append("3", token: "a")
            let lane = AppendLane(topic, fencingToken: try FencingToken("a"))
            try await laboratory.until("they wait") { log.queues.withLock { $0.waitingCount(of: lane) } == 2 }
            // Others are told at once that they have no business here.
            #expect(await laboratory.code { _ = try await append("9", token: "b") } == .fenced)
            gate.open()
            let ranges = try await [first, second, third].map(\.range.lowerBound)
            #expect(Set(ranges) == [2, 3, 4])
        }
        #expect(await laboratory.layout() == "1-1 2-2 3-4")
    }

    @Test("leaves nobody without an answer when the log is closed")
    func close() async throws {
        let gate = laboratory.makeGate()
        try await laboratory.running(log) { () async throws in
            laboratory.store.plan { call in
                if case .put = call { .held(at: gate) } else { .none }
            }
            async let under = append("1", expected: 1)
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            log.close()
            #expect(await laboratory.code { _ = try await append("2", expected: 2) } == .unavailable)
            gate.open()
            #expect(try await under.range == 1..<2)
        }
    }
}
