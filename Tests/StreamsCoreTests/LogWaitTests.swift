@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

@Suite("Waiting for messages", .timeLimit(.minutes(2)))
struct LogWaitTests {
    let laboratory: Laboratory
    let topic: TopicName
    let log: Log
    var store: FaultInjectingStore { laboratory.store }

    init() throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
        log = laboratory.makeLog()
    }

    @Test("returns at once when there is something to read")
    func atOnce() async throws {
        try await laboratory.writeDirectly([2])
        // Time stands still, so a wait would not end.
        #expect(try await laboratory.read(log, wait: .seconds(20)).texts == ["1:1", "2:2"])
    }

    @Test("wakes when a message is appended, without any passing of time", arguments: [true, false])
    func wakes(_ topicExists: Bool) async throws {
        if topicExists { try await laboratory.writeDirectly([1]) }
        try await laboratory.running(log) { () async throws in
            async let page = laboratory.read(log, .latest, wait: .seconds(20))
            try await laboratory.until("it waits") { isWaiting(1) }
            _ = try await log.append(.of("9"), to: topic)
            #expect(try await page.texts == [topicExists ? "2:9" : "1:9"])
        }
    }

    @Test("wakes everybody who waits")
    func wakesAll() async throws {
        try await laboratory.running(log) { () async throws in
            try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<20 {
                    group.addTask { try await laboratory.read(log, .latest, wait: .seconds(20)).texts }
                }
                try await laboratory.until("all wait") { isWaiting(20) }
                _ = try await log.append(.of("9"), to: topic)
                for try await texts in group { #expect(texts == ["1:9"]) }
            }
        }
        #expect(log.waiters.withLock { $0.watchedTopics.isEmpty })
    }

    @Test("comes back empty when its time is up, not before")
    func timesOut() async throws {
        async let page = laboratory.read(log, wait: .seconds(7))
        try await laboratory.until("it sleeps") { laboratory.time.sleeperCount == 1 }
        laboratory.time.advance(by: .milliseconds(6999))
        for _ in 0..<100 { await Task.yield() }
        #expect(laboratory.time.sleeperCount == 1)
        laboratory.time.advance(by: .milliseconds(1))
        let empty = try await page
        #expect(empty.texts.isEmpty && empty.next == 1)
        #expect(log.waiters.withLock { $0.watchedTopics.isEmpty })
    }

    @Test("ends at once when its task is cancelled")
    func cancellation() async throws {
        try await withThrowingTaskGroup(of: ReadPage.self) { group in
            group.addTask { try await laboratory.read(log, wait: .seconds(20)) }
            try await laboratory.until("it waits") { isWaiting(1) }
            group.cancelAll()
            let page = try await group.next()
            #expect(page?.texts == [])
        }
        #expect(laboratory.time.sleeperCount == 0)
        #expect(log.waiters.withLock { $0.watchedTopics.isEmpty })
    }

    @Test("misses no append that comes between its look at the end and its waiting")
    func noMissedWakeUp() async throws {
        try await laboratory.writeDirectly([1])
        let gate = laboratory.makeGate()
        let isHeld = Shared(false)
        try await laboratory.running(log) { () async throws in
            // The answer to the reader's look is held while an append runs from beginning to end.
            store.plan { call in
                guard call.name == "head" else { return .none }
                return isHeld.change { isHeld in
                    defer { isHeld = true }
                    return isHeld
                } ? .none : .answerHeld(at: gate)
            }
            async let page = laboratory.read(log, .offset(2), wait: .seconds(20))
            try await laboratory.until("the look") { gate.arrivalCount == 1 }
            _ = try await log.append(.of("9"), to: topic)
            gate.open()
            #expect(try await page.texts == ["2:9"])
        }
    }

    @Test("misses no put that ends between its look at a hole and its waiting")
    func noMissedPut() async throws {
        try await laboratory.writeDirectly([1])
        let putGate = laboratory.makeGate()
        let headGate = laboratory.makeGate()
        let heads = Shared(0)
        try await laboratory.running(log) { () async throws in
            store.plan { call in
                switch call {
                case .put: return .held(at: putGate)
                case .head:
                    // The second look at the item, when the gap has shown.
                    return heads.change {
                        $0 += 1; return $0 == 2
                    } ? .held(at: headGate) : .none
                default: return .none
                }
            }
            async let receipt = log.append(.of("9"), to: topic)
            try await laboratory.until("the put") { putGate.arrivalCount == 1 }
            async let page = laboratory.read(log, .offset(2), wait: .seconds(20))
            try await laboratory.until("the second look") { headGate.arrivalCount == 1 }
            putGate.open()
            _ = try await receipt
            headGate.open()
            // Without any passing of time.
            #expect(try await page.texts == ["2:9"])
        }
    }

    @Test("looks again at a hole from time to time, as its writer may be another process")
    func looksAgain() async throws {
        try await laboratory.writeDirectly([1])
        let claim = try await laboratory.claim(1)
        async let page = laboratory.read(log, .offset(2), wait: .seconds(20))
        try await laboratory.until("it waits") { isWaiting(1) && laboratory.time.sleeperCount == 1 }
        var segment = try Segment.of([MessageText("9")], first: 2, at: claim.at.milliseconds)
        segment.appendID = laboratory.makeID()
        _ = await laboratory.memory.put(segment, signedAt: claim.at)
        laboratory.time.advance(by: log.configuration.holeRecheckInterval)
        #expect(try await page.texts == ["2:9"])
    }

    @Test("closes a hole that becomes old enough while it waits, and waits on for a message")
    func closesHoleWhileWaiting() async throws {
        _ = try await log.create(topic)
        try await laboratory.claim(2)
        try await laboratory.running(log) { () async throws in
            async let page = laboratory.read(log, .offset(1), wait: .seconds(20))
            try await laboratory.until("the hole is closed") {
                laboratory.time.advance(by: .milliseconds(10))
                return await laboratory.layout() == "(1-2)"
            }
            #expect(laboratory.time.uptime() >= .seconds(5))
            try await laboratory.until("it waits") { isWaiting(1) }
            _ = try await log.append(.of("9"), to: topic)
            #expect(try await page.texts == ["3:9"])
        }
    }

    @Test("sees what another process appends, where the tail is polled")
    func otherProcess() async throws {
        let polling = laboratory.makeLog { $0.tailPollInterval = .milliseconds(50)...(.milliseconds(50)) }
        let writer = laboratory.makeLog()
        try await laboratory.running(polling, writer) { () async throws in
            async let page = laboratory.read(polling, .latest, wait: .seconds(20))
            try await laboratory.until("it waits") { isWaiting(1, polling) && laboratory.time.sleeperCount == 2 }
            _ = try await writer.append(.of("9"), to: topic)
            for _ in 0..<100 { await Task.yield() }
            #expect(isWaiting(1, polling))
            laboratory.time.advance(by: .milliseconds(50))
            #expect(try await page.texts == ["1:9"])
        }
    }

    @Test("goes on polling when the store fails meanwhile")
    func pollFails() async throws {
        let polling = laboratory.makeLog { $0.tailPollInterval = .milliseconds(50)...(.milliseconds(50)) }
        let writer = laboratory.makeLog(over: laboratory.memory)
        try await laboratory.running(polling, writer) { () async throws in
            async let page = laboratory.read(polling, .latest, wait: .seconds(20))
            try await laboratory.until("it waits") { isWaiting(1, polling) && laboratory.time.sleeperCount == 2 }
            store.plan { $0.name == "head" ? .refused() : .none }
            store.forgetCalls()
            laboratory.time.advance(by: .milliseconds(50))
            try await laboratory.until("the poll has failed") {
                !store.calls.isEmpty && laboratory.time.sleeperCount == 2
            }
            store.plan { _ in .none }
            _ = try await writer.append(.of("9"), to: topic)
            laboratory.time.advance(by: .milliseconds(50))
            #expect(try await page.texts == ["1:9"])
        }
    }

    private func isWaiting(_ count: Int, _ other: Log? = nil) -> Bool {
        (other ?? log).waiters.withLock { $0.waiterCount(of: topic) } == count
    }
}
