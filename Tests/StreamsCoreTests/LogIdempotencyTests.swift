@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Appending with an idempotency key", .timeLimit(.minutes(2)))
struct LogIdempotencyTests {
    let laboratory: Laboratory
    let topic: TopicName

    init() throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
    }

    private func conditions(_ key: String, body: Int = 1, expected: Offset? = nil) throws -> AppendConditions {
        AppendConditions(
            idempotency: .init(
                key: try IdempotencyKey(key),
                digest: try #require(RequestDigest([UInt8](repeating: UInt8(body), count: 32)))),
            expectedOffset: expected)
    }

    private func append(
        _ log: Log, _ texts: String..., key: String = "k", body: Int = 1, expected: Offset? = nil
    ) async throws -> AppendReceipt {
        try await log.append(
            try MessageBatch.of(texts.map { MessageText($0) }), to: topic,
            conditions: conditions(key, body: body, expected: expected))
    }

    @Test("answers a repeated request as the first, from any process, and costs it no write")
    func replay() async throws {
        let (first, second) = (laboratory.makeLog(), laboratory.makeLog())
        try await laboratory.running(first, second) { () async throws in
            #expect(try await append(first, "1", "2") == AppendReceipt(range: 1..<3))
            _ = try await first.append(.of("3"), to: topic)
            laboratory.store.forgetCalls()
            for log in [first, second] {
                #expect(try await append(log, "1", "2") == AppendReceipt(range: 1..<3, isReplay: true))
            }
            let reads = ["produceRecord", "get", "head"]
            #expect(laboratory.store.calls.map(\.name) == reads + reads)
            #expect(first.counters.snapshot.replays == 1 && second.counters.snapshot.replays == 1)
            #expect(try await laboratory.read(second).texts == ["1:1", "2:2", "3:3"])
        }
        #expect(await laboratory.layout() == "1-2 3-3")
    }

    @Test("costs a first request a read and a write more than a plain append, in this order")
    func order() async throws {
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            laboratory.store.forgetCalls()
            _ = try await append(log, "2")
            #expect(laboratory.store.calls.map(\.name) == ["produceRecord", "claim", "setProduceRecord", "put"])
        }
    }

    @Test("goes on where an attempt died that had recorded its claim, at the same place")
    func helps() async throws {
        let (dying, helping) = (laboratory.makeLog(), laboratory.makeLog())
        let gate = laboratory.makeGate()
        try await laboratory.running(dying, helping) { () async throws in
            laboratory.store.plan { call in
                if case .put = call { .held(at: gate) } else { .none }
            }
            async let first = append(dying, "1", "2")
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            laboratory.store.plan { _ in .none }
            laboratory.time.advance(by: .seconds(2))
            #expect(try await append(helping, "1", "2") == AppendReceipt(range: 1..<3, isReplay: true))
            gate.open()
            #expect(try await first == AppendReceipt(range: 1..<3))
        }
        let stored = await laboratory.stored()
        #expect(stored.map(\.shape) == ["1-2"])
        #expect(stored[0].timestamp.milliseconds == 1_700_000_000_000)
        // Both wrote the very same segment.
        let puts = laboratory.store.puts
        #expect(puts.count == 2 && puts[0] == puts[1])
    }

    @Test("takes the record of who was first, and closes its own claim at once")
    func loser() async throws {
        let (slow, quick) = (laboratory.makeLog(), laboratory.makeLog())
        let gate = laboratory.makeGate()
        try await laboratory.running(slow, quick) { () async throws in
            laboratory.store.plan { call in
                if case .setProduceRecord = call { .held(at: gate) } else { .none }
            }
            async let late = append(slow, "1")
            try await laboratory.until("the record") { gate.arrivalCount == 1 }
            laboratory.store.plan { _ in .none }
            #expect(try await append(quick, "1").range == 2..<3)
            gate.open()
            #expect(try await late == AppendReceipt(range: 2..<3, isReplay: true))
        }
        #expect(await laboratory.layout() == "(1-1) 2-2")
    }

    @Test("claims anew and moves the record when readers have closed the range, once for all attempts")
    func moves() async throws {
        let (dying, second, third) = (laboratory.makeLog(), laboratory.makeLog(), laboratory.makeLog())
        let gate = laboratory.makeGate()
        try await laboratory.running(dying, second, third) { () async throws in
            laboratory.store.plan { call in
                if case .put(let segment) = call, segment.kind == .messages { .held(at: gate) } else { .none }
            }
            async let first = append(dying, "1")
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            laboratory.store.plan { _ in .none }
            laboratory.time.advance(by: .seconds(6))
            #expect(try await laboratory.read(third).next == 2)
            #expect(try await append(second, "1").range == 2..<3)
            gate.open()
            #expect(try await first == AppendReceipt(range: 2..<3, isReplay: true))
            #expect(try await append(third, "1") == AppendReceipt(range: 2..<3, isReplay: true))
            #expect(try await laboratory.read(third).texts == ["2:1"])
        }
    }

    @Test("finds its own record where the answer to writing it was lost")
    func lostAnswer() async throws {
        let log = laboratory.makeLog()
        let count = Shared(0)
        laboratory.store.plan { call in
            guard case .setProduceRecord = call,
                count.change({
                    $0 += 1; return $0
                }) == 1
            else { return .none }
            return .answerLost
        }
        try await laboratory.running(log) { () async throws in
            try await laboratory.withTimePassing { () async throws in
                #expect(try await append(log, "1") == AppendReceipt(range: 1..<2))
            }
        }
        #expect(await laboratory.layout() == "1-1")
    }

    @Test("says so when the outcome is unknown, and the next attempt finds the batch wherever it landed")
    func unknown() async throws {
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in
            laboratory.store.plan { call in
                guard case .put = call else { return .none }
                return .landingLate
            }
            let code = try await laboratory.withTimePassing { () async throws in
                await laboratory.code { _ = try await append(log, "1") }
            }
            #expect(code == .outcomeUnknown)
            laboratory.store.plan { _ in .none }
            // The messages arrive before the filler that was to close the range.
            _ = await laboratory.store.landInFlight()
            #expect(try await append(log, "1") == AppendReceipt(range: 1..<2, isReplay: true))
            #expect(try await laboratory.read(log).texts == ["1:1"])
        }
    }

    @Test("refuses another body, unless the first was never written")
    func reuse() async throws {
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in
            _ = try await append(log, "1")
            #expect(await laboratory.code { _ = try await append(log, "2", body: 2) } == .idempotencyKeyReused)
            laboratory.store.plan { call in
                if case .put(let segment) = call, segment.kind == .messages { .refused(.outOfSpace) } else { .none }
            }
            #expect(await laboratory.code { _ = try await append(log, "1", key: "l") } == .unavailable)
            laboratory.store.plan { _ in .none }
            #expect(try await append(log, "2", key: "l", body: 2) == AppendReceipt(range: 3..<4))
        }
        #expect(await laboratory.layout() == "1-1 (2-2) 3-3")
    }

    @Test("never writes again what may have been trimmed")
    func trimmed() async throws {
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in
            _ = try await append(log, "1")
            _ = try await log.append(.of("2"), to: topic)
            laboratory.memory.trim(topic, before: 2)
            #expect(await laboratory.code { _ = try await append(log, "1") } == .idempotencyKeyExpired)
        }
        #expect(await laboratory.layout() == "2-2")
    }

    @Test("takes a key anew once it has expired, whatever became of the first batch")
    func expiry() async throws {
        let log = laboratory.makeLog { $0.idempotencyExpiry = .seconds(60) }
        try await laboratory.running(log) { () async throws in
            #expect(try await append(log, "1").range == 1..<2)
            laboratory.time.advance(by: .seconds(59))
            #expect(try await append(log, "1").isReplay)
            laboratory.time.advance(by: .seconds(1))
            #expect(try await append(log, "2", body: 2) == AppendReceipt(range: 2..<3))
            #expect(try await append(log, "2", body: 2).isReplay)
        }
    }

    @Test("judges its condition for the first attempt only, and not anew after a filler")
    func withCondition() async throws {
        let (log, reader) = (laboratory.makeLog(), laboratory.makeLog())
        let gate = laboratory.makeGate()
        try await laboratory.running(log, reader) { () async throws in
            #expect(try await append(log, "1", expected: 1).range == 1..<2)
            #expect(try await append(log, "1", expected: 1).isReplay)
            laboratory.store.plan { call in
                if case .put(let segment) = call, segment.kind == .messages { .held(at: gate) } else { .none }
            }
            async let second = laboratory.code { _ = try await append(log, "2", key: "l", expected: 2) }
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            laboratory.time.advance(by: .seconds(6))
            #expect(try await laboratory.read(reader, .offset(2)).next == 3)
            gate.open()
            #expect(await second == .offsetMismatch)
            laboratory.store.plan { _ in .none }
            #expect(await laboratory.code { _ = try await append(log, "2", key: "l", expected: 2) } == .offsetMismatch)
            // The refused request has not used the key up.
            #expect(try await append(log, "3", key: "l", body: 3, expected: 3).range == 3..<4)
        }
        #expect(await laboratory.layout() == "1-1 (2-2) 3-3")
    }

    @Test("neither waits for the batch of others nor goes into it")
    func alone() async throws {
        let log = laboratory.makeLog()
        let gate = laboratory.makeGate()
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("0"), to: topic)
            laboratory.store.plan { call in
                if case .put = call { .held(at: gate) } else { .none }
            }
            async let plain = log.append(.of("1"), to: topic)
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            laboratory.store.plan { _ in .none }
            #expect(try await append(log, "2").range == 3..<4)
            gate.open()
            #expect(try await plain.range == 2..<3)
        }
        #expect(await laboratory.layout() == "1-1 2-2 3-3")
    }
}
