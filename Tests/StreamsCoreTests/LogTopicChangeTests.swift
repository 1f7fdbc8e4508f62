@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

@Suite("Trimming, deleting and bounding a topic", .timeLimit(.minutes(2)))
struct LogTopicChangeTests {
    let laboratory: Laboratory
    let topic: TopicName
    let log: Log

    init() throws {
        laboratory = try Laboratory(keysPerList: 3)
        topic = laboratory.topic
        log = laboratory.makeLog()
    }

    private func error(_ body: () async throws -> Void) async -> StreamsError? {
        do { try await body() } catch { return error as? StreamsError }
        return nil
    }

    @Test("moves the earliest offset forward, to the end at most, and never back")
    func trim() async throws {
        let absent = await error { _ = try await log.trim(topic, before: 1) }
        #expect(absent?.code == .topicNotFound)
        try await laboratory.writeDirectly([2, 2, 2])
        #expect(try await log.trim(topic, before: 4) == 4)
        #expect(try await log.trim(topic, before: 1) == 4)
        #expect(try await laboratory.read(log, .earliest).texts == ["4:4", "5:5", "6:6"])
        let trimmed = await error { _ = try await laboratory.read(log, .offset(3)) }
        #expect(trimmed?.code == .offsetTrimmed && trimmed?.context.earliestOffset == 4)
        let beyond = await error { _ = try await log.trim(topic, before: 8) }
        #expect(beyond?.code == .invalidParameter && beyond?.context.parameter == "before")
        #expect(try await log.trim(topic, before: 7) == 7)
        #expect(try await laboratory.read(log, .earliest).next == 7)
    }

    @Test("makes a topic absent, and empty to readers; made again it goes on above its old offsets")
    func delete() async throws {
        #expect(await error { try await log.delete(topic) }?.code == .topicNotFound)
        try await laboratory.writeDirectly([3])
        try await log.delete(topic)
        #expect(await error { _ = try await log.info(of: topic) }?.code == .topicNotFound)
        #expect(await error { try await log.delete(topic) }?.code == .topicNotFound)
        #expect(await error { _ = try await log.trim(topic, before: 1) }?.code == .topicNotFound)
        #expect(try await log.topics(prefix: "", after: "", limit: 1).names == [])
        let page = try await laboratory.read(log, .earliest)
        #expect(page.texts == [] && page.next == 4 && page.end == 4)
        let old = await error { _ = try await laboratory.read(log, .offset(2)) }
        #expect(old?.code == .offsetTrimmed && old?.context.earliestOffset == 4)
        try await laboratory.running(log) { () async throws in
            #expect(try await log.append(.of("9"), to: topic).range == 4..<5)
            #expect(try await log.info(of: topic).earliest == 4)
            #expect(try await laboratory.read(log, .offset(4)).texts == ["4:9"])
            try await log.delete(topic)
            #expect(try await log.create(topic))
            #expect(try await !log.create(topic))
            #expect(try await log.info(of: topic).end == 5)
            #expect(try await log.append(.of("10"), to: topic).range == 5..<6)
        }
    }

    @Test("wakes the readers that waited for a deleted topic to be made again")
    func waiting() async throws {
        try await laboratory.writeDirectly([1])
        try await log.delete(topic)
        try await laboratory.running(log) { () async throws in
            async let page = laboratory.read(log, .offset(2), wait: .seconds(20))
            try await laboratory.until("a reader waits") { log.waiters.withLock { $0.waiterCount(of: topic) } == 1 }
            _ = try await log.append(.of("7"), to: topic)
            #expect(try await page.texts == ["2:7"])
        }
    }

    @Test("is tried again after a lost answer, and told as unknown where no answer comes")
    func lostAnswers() async throws {
        try await laboratory.writeDirectly([3])
        let lost = Shared(0)
        laboratory.store.plan { call in
            switch call {
            case .trim, .delete, .change:
                lost.change {
                    $0 += 1; return $0
                } % 2 == 1 ? .answerLost : .none
            default: .none
            }
        }
        try await laboratory.withTimePassing {
            #expect(try await log.trim(topic, before: 2) == 2)
            var change = TopicSettingsChange()
            change.retentionBytes = 5
            try await log.change(topic, change)
            try await log.delete(topic)
        }
        #expect(lost.value == 6)
        _ = try await log.create(topic)
        laboratory.store.plan { call in if case .delete = call { .lost } else { .none } }
        let unknown = try await laboratory.withTimePassing { await error { try await log.delete(topic) } }
        #expect(unknown?.code == .outcomeUnknown)
        laboratory.store.plan { call in if case .delete = call { .refused(.misconfigured) } else { .none } }
        #expect(await error { try await log.delete(topic) }?.code == .unavailable)
        #expect(try await log.info(of: topic).end == 4)
    }

    @Test("changes only the settings that are given")
    func settings() async throws {
        _ = try await log.create(topic)
        var change = TopicSettingsChange()
        change.retentionMilliseconds = 7
        try await log.change(topic, change)
        change = TopicSettingsChange()
        change.retentionBytes = 8
        try await log.change(topic, change)
        #expect(
            try await log.info(of: topic).settings
                == TopicSettings(retentionMilliseconds: 7, retentionBytes: 8, version: 2))
        change = TopicSettingsChange()
        change.retentionMilliseconds = .some(nil)
        try await log.change(topic, change)
        try await log.change(topic, change)
        #expect(try await log.info(of: topic).settings == TopicSettings(retentionBytes: 8, version: 3))
    }

    @Test("by age is up to the first message that is young enough, and never into a write under way", arguments: 1...20)
    func age(seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        _ = await laboratory.memory.create(topic, at: laboratory.time.now())
        var ends: [(end: Offset, time: Timestamp)] = []
        for _ in 0..<1 + random.next(below: 12) {
            laboratory.time.advance(by: .seconds(1))
            try await laboratory.writeDirectly([1 + random.next(below: 3)])
            let end = try #require(await laboratory.memory.head(of: topic)).end
            ends.append((end, laboratory.time.now()))
        }
        try await laboratory.claim(2)
        var head = try #require(await laboratory.memory.head(of: topic))
        let now = laboratory.time.now()
        for seconds in 1...14 {
            head.settings = TopicSettings(retentionMilliseconds: Int64(seconds) * 1000 - 500)
            let cutoff = Timestamp(milliseconds: now.milliseconds - Int64(seconds) * 1000 + 500)
            let expected = ends.last { $0.time < cutoff }?.end ?? 1
            #expect(try await laboratory.memory.retentionMark(of: topic, in: head, at: now) == expected, "seed \(seed)")
        }
        head.settings = TopicSettings(retentionMilliseconds: TopicSettings.maximum)
        #expect(try await laboratory.memory.retentionMark(of: topic, in: head, at: now) == 1)
    }

    @Test("by bytes leaves the newest segments that fit")
    func bytes() async throws {
        try await laboratory.writeDirectly([1, 2, 3, 1])
        let sizes = await laboratory.stored().map(\.body.count)
        var head = try #require(await laboratory.memory.head(of: topic))
        let ends: [Offset] = [2, 4, 7, 8]
        for bytes in 1...sizes.reduce(0, +) + 1 {
            head.settings = TopicSettings(retentionBytes: Int64(bytes))
            var expected: Offset = 1
            for index in sizes.indices where sizes[index...].reduce(0, +) > bytes { expected = ends[index] }
            let mark = try await laboratory.memory.retentionMark(of: topic, in: head, at: laboratory.time.now())
            #expect(mark == expected, "\(bytes) bytes")
        }
    }
}
