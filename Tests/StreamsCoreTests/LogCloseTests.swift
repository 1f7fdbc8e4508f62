@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

@Suite("Closing a log", .timeLimit(.minutes(2)))
struct LogCloseTests {
    let laboratory: Laboratory
    let topic: TopicName
    let log: Log

    init() throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
        log = laboratory.makeLog()
    }

    @Test("refuses appends, as something that was not written and may be repeated")
    func refuses() async throws {
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            log.close()
            let error = await #expect(throws: StreamsError.self) { _ = try await log.append(.of("2"), to: topic) }
            #expect(error?.code == .unavailable && error?.context.retryAfter != nil)
            // Readers are still served.
            #expect(try await laboratory.read(log).texts == ["1:1"])
            log.close()
        }
    }

    @Test("happens by itself when its run is cancelled, and leaves no append without an answer")
    func cancelled() async throws {
        let run = Task { await log.run() }
        run.cancel()
        await run.value
        let error = await #expect(throws: StreamsError.self) { _ = try await log.append(.of("1"), to: topic) }
        #expect(error?.code == .unavailable)
        #expect(log.isClosed)
    }

    @Test("wakes those who wait, and lets nobody wait any more")
    func wakesWaiters() async throws {
        async let page = laboratory.read(log, wait: .seconds(20))
        try await laboratory.until("it waits") { log.waiters.withLock { $0.waiterCount(of: topic) } == 1 }
        log.close()
        #expect(try await page.texts.isEmpty)
        #expect(try await laboratory.read(log, wait: .seconds(20)).texts.isEmpty)
    }

    @Test("ends only when what was taken in has its answer")
    func finishes() async throws {
        let gate = laboratory.makeGate()
        laboratory.store.plan { call in
            if case .put = call { .held(at: gate) } else { .none }
        }
        let hasEnded = Shared(false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let log = log
            group.addTask {
                await log.run()
                hasEnded.change { $0 = true }
            }
            async let first = log.append(.of("1"), to: topic)
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            async let second = log.append(.of("2"), to: topic)
            try await laboratory.until("the second waits") {
                log.queues.withLock { $0.waitingCount(of: AppendLane(topic)) } == 1
            }
            log.close()
            for _ in 0..<100 { await Task.yield() }
            #expect(!hasEnded.value)
            gate.open()
            #expect(try await first.range == 1..<2)
            #expect(try await second.range == 2..<3)
        }
        #expect(hasEnded.value)
    }

    @Test("lets an append go on trying that met a failure before")
    func keepsTrying() async throws {
        let puts = Shared(0)
        laboratory.store.plan { call in
            guard case .put = call else { return .none }
            return puts.change {
                $0 += 1; return $0 <= 3
            } ? .refused() : .none
        }
        try await laboratory.running(log) { () async throws in
            async let receipt = log.append(.of("1"), to: topic)
            try await laboratory.until("it pauses") { laboratory.time.sleeperCount == 1 }
            log.close()
            for _ in 0..<100 { await Task.yield() }
            try await laboratory.withTimePassing { () async throws in
                try await laboratory.until("it has tried again") { puts.value >= 4 }
            }
            #expect(try await receipt.range == 1..<2)
        }
    }

    @Test("gives every append an answer that comes at the same time")
    func race() async throws {
        for round in 0..<3000 {
            let log = laboratory.makeLog(over: laboratory.memory)
            let topic = try TopicName("t\(round)")
            let batch = try MessageBatch.of("1")
            // A lost answer would hang here.
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await log.run() }
                for _ in 0..<2 { group.addTask { _ = try? await log.append(batch, to: topic) } }
                group.addTask { log.close() }
            }
        }
    }

    @Test("performs what was appended before it ran, and ends at once when it was closed before")
    func order() async throws {
        let gate = laboratory.makeGate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (log, topic) = (log, topic)
            group.addTask {
                let receipt = try await log.append(.of("1"), to: topic)
                #expect(receipt.range == 1..<2)
            }
            try await laboratory.until("it waits") { log.queues.withLock { $0.activeLaneCount } == 1 }
            log.close()
            gate.open()
            await log.run()
            try await group.waitForAll()
        }
        let closed = laboratory.makeLog()
        closed.close()
        await closed.run()
    }
}
