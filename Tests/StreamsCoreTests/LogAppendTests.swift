@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

@Suite("Appending", .timeLimit(.minutes(2)))
struct LogAppendTests {
    let laboratory: Laboratory
    let topic: TopicName

    init() throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
    }

    @Test("gives the messages consecutive offsets from 1, in order, and readers get them so")
    func order() async throws {
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in
            #expect(try await log.append(.of("10", "11"), to: topic).range == 1..<3)
            #expect(try await log.append(.of("12"), to: topic).range == 3..<4)
            #expect(try await log.append(.of("13", "14", "15"), to: topic).range == 4..<7)
            let page = try await laboratory.read(log)
            #expect(page.texts == ["1:10", "2:11", "3:12", "4:13", "5:14", "6:15"])
            #expect(page.next == 7 && page.end == 7)
        }
        #expect(await laboratory.layout() == "1-2 3-3 4-6")
    }

    @Test("stamps the messages with the time of the claim, and names the claim before")
    func metadata() async throws {
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("10", "11"), to: topic)
            laboratory.time.advance(by: .seconds(3))
            _ = try await log.append(.of("12"), to: topic)
        }
        let stored = await laboratory.stored()
        #expect(stored.map(\.timestamp.milliseconds) == [1_700_000_000_000, 1_700_000_003_000])
        #expect(stored.map(\.previousClaim) == [nil, 1])
        #expect(stored[0].appendID != stored[1].appendID)
    }

    @Test("creates the topic with its first message")
    func createsTopic() async throws {
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.info(of: topic) } == .topicNotFound)
            _ = try await log.append(.of("10"), to: topic)
            let info = try await log.info(of: topic)
            #expect(info.earliest == 1 && info.end == 2)
            #expect(info.createdAt == laboratory.time.now())
        }
    }

    @Test("joins what arrives while a put is under way into one segment, and answers each request by itself")
    func naturalBatching() async throws {
        let log = laboratory.makeLog()
        let gate = laboratory.makeGate()
        laboratory.store.plan { call in
            if case .put = call { .held(at: gate) } else { .none }
        }
        let receipts = try await laboratory.running(log) { () async throws in
            try await withThrowingTaskGroup(of: (Int, AppendReceipt).self) { group in
                group.addTask { (0, try await log.append(.of("0"), to: topic)) }
                try await laboratory.until("the first put") { gate.arrivalCount == 1 }
                for number in 1...64 {
                    group.addTask { (number, try await log.append(.of("\(number)", "\(number)"), to: topic)) }
                    try await laboratory.until("all wait") { waiting(log) == number }
                }
                gate.open()
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(await laboratory.layout() == "1-1 2-129")
        let page = try await laboratory.read(log)
        for (number, receipt) in receipts {
            // In the order in which they came, each at its own offsets.
            let first = number == 0 ? Offset.first : Offset.first.advanced(by: 2 * number - 1)
            #expect(receipt.range == first..<first.advanced(by: number == 0 ? 1 : 2))
            for index in 0..<receipt.range.offsetCount {
                #expect(page.texts.contains("\(receipt.range.lowerBound.advanced(by: index)):\(number)"))
            }
        }
        #expect(log.counters.snapshot.appendRequests == 65)
        #expect(log.counters.snapshot.messages == 129)
        #expect(log.counters.snapshot.segments == 2)
    }

    @Test("lets topics append side by side")
    func topicsSideBySide() async throws {
        let log = laboratory.makeLog()
        let gate = laboratory.makeGate()
        let other = try TopicName("u")
        laboratory.store.plan { call in
            if case .put(let segment) = call, segment.topic != other { .held(at: gate) } else { .none }
        }
        try await laboratory.running(log) { () async throws in
            async let first = log.append(.of("0"), to: topic)
            try await laboratory.until("the first put") { gate.arrivalCount == 1 }
            #expect(try await log.append(.of("1"), to: other).range == 1..<2)
            gate.open()
            #expect(try await first.range == 1..<2)
        }
    }

    @Test("makes a batch visible all at once")
    func atomicVisibility() async throws {
        let log = laboratory.makeLog()
        let gate = laboratory.makeGate()
        let before = laboratory.makeGate()
        laboratory.store.plan { call in
            if case .put = call { StoreFault(before: before, after: gate) } else { .none }
        }
        try await laboratory.running(log) { () async throws in
            async let receipt = log.append(.of("10", "11", "12"), to: topic)
            try await laboratory.until("the put") { before.arrivalCount == 1 }
            #expect(try await laboratory.read(log).texts.isEmpty)
            #expect(try await laboratory.read(log, .offset(2)).texts.isEmpty)
            before.open()
            try await laboratory.until("the answer") { gate.arrivalCount == 1 }
            // Visible before it is acknowledged, but whole.
            #expect(try await laboratory.read(log).texts == ["1:10", "2:11", "3:12"])
            #expect(try await laboratory.read(log, .offset(2)).texts == ["2:11", "3:12"])
            gate.open()
            #expect(try await receipt.range == 1..<4)
        }
    }

    @Test("acknowledges nothing before the put has returned")
    func acknowledgesAfterPut() async throws {
        let log = laboratory.makeLog()
        let gate = laboratory.makeGate()
        let isAnswered = Shared(false)
        laboratory.store.plan { call in
            if case .put = call { .held(at: gate) } else { .none }
        }
        try await laboratory.running(log) { () async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    _ = try await log.append(.of("1"), to: topic)
                    isAnswered.change { $0 = true }
                }
                try await laboratory.until("the put") { gate.arrivalCount == 1 }
                for _ in 0..<1000 { await Task.yield() }
                #expect(!isAnswered.value)
                gate.open()
            }
        }
    }

    @Test("goes on for the others when the caller of one request is cancelled")
    func callerCancellation() async throws {
        let log = laboratory.makeLog()
        let gate = laboratory.makeGate()
        laboratory.store.plan { call in
            if case .put = call { .held(at: gate) } else { .none }
        }
        try await laboratory.running(log) { () async throws in
            async let first = log.append(.of("0"), to: topic)
            try await laboratory.until("the first put") { gate.arrivalCount == 1 }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { _ = try? await log.append(.of("1"), to: topic) }
                while waiting(log) < 1 { await Task.yield() }
                async let third = log.append(.of("2"), to: topic)
                while waiting(log) < 2 { await Task.yield() }
                group.cancelAll()
                gate.open()
                #expect((try? await third)?.range == 3..<4)
            }
            #expect(try await first.range == 1..<2)
            #expect(try await laboratory.read(log).texts == ["1:0", "2:1", "3:2"])
        }
    }

    @Test("keeps to the bounds of a combined batch")
    func bounds() async throws {
        let log = laboratory.makeLog { $0.limits.batchMessages = 3 }
        let gate = laboratory.makeGate()
        laboratory.store.plan { call in
            if case .put = call { .held(at: gate) } else { .none }
        }
        try await laboratory.running(log) { () async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<8 {
                    group.addTask { _ = try await log.append(.of("\(number)"), to: topic) }
                    try await laboratory.until("it waits") { gate.arrivalCount == 1 && waiting(log) == number }
                }
                gate.open()
            }
        }
        #expect(await laboratory.layout() == "1-1 2-4 5-7 8-8")
    }

    private func waiting(_ log: Log) -> Int { log.queues.withLock { $0.waitingCount(of: AppendLane(topic)) } }
}
