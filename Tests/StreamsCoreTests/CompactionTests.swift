import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

/// Compaction on the in-memory store, which stands for S3 here.
@Suite("Compaction")
struct CompactionTests {
    private let laboratory: Laboratory
    private let log: Log

    init() throws {
        laboratory = try Laboratory(keysPerList: 7)
        log = laboratory.makeLog()
    }

    private static func settings(_ parts: Int = 4, minimum: Int = 2) -> MaintenanceSettings {
        var settings = MaintenanceSettings()
        settings.partsMaximum = parts
        settings.segmentsMinimum = minimum
        return settings
    }

    private func append(_ payloads: String...) async throws {
        for payload in payloads { _ = try await log.append(.of(payload), to: laboratory.topic) }
    }

    private func maintain(_ settings: MaintenanceSettings = settings()) async -> MaintenanceReport {
        await log.maintain(on: laboratory.memory, settings: settings)
    }

    @Test("merges old segments, a few into one, and leaves the messages as they were")
    func merges() async throws {
        try await laboratory.running(log) {
            try await append("1", "2", "3", "4", "5", "6")
            let before = try await laboratory.read(log)
            laboratory.time.advance(by: .seconds(3600))
            let report = await maintain()
            #expect(report.isComplete, "\(report.unfinished) \(report.defects)")
            #expect(await laboratory.layout() == "[1-4] [5-6]")
            #expect(report.merges == 2 && report.before.segments == 6 && report.after.segments == 2)
            let after = try await laboratory.read(log)
            #expect(after.texts == before.texts && after.next == before.next)
            for start in 1...6 {
                let page = try await laboratory.read(log, .offset(Offset(integerLiteral: start)), limit: 2)
                #expect(page.texts == before.texts.dropFirst(start - 1).prefix(2).map { $0 })
            }
        }
    }

    @Test("leaves alone what was claimed within the hour, and what is not worth it")
    func leavesYoung() async throws {
        try await laboratory.running(log) {
            try await append("1", "2", "3")
            laboratory.time.advance(by: .seconds(3599))
            _ = await maintain()
            #expect(await laboratory.layout() == "1-1 2-2 3-3")
            laboratory.time.advance(by: .seconds(1))
            try await append("4", "5")
            _ = await maintain(Self.settings(minimum: 4))
            #expect(await laboratory.layout() == "1-1 2-2 3-3 4-4 5-5")
            _ = await maintain()
            #expect(await laboratory.layout() == "[1-3] 4-4 5-5")
        }
    }

    @Test("lets a merged segment grow until it is full, and begins where it ended")
    func grows() async throws {
        try await laboratory.running(log) {
            try await append("1", "2")
            laboratory.time.advance(by: .seconds(3600))
            _ = await maintain()
            try await append("3", "4", "5")
            laboratory.time.advance(by: .seconds(3600))
            _ = await maintain()
            #expect(await laboratory.layout() == "[1-4] 5-5")
            #expect(await laboratory.memory.upkeep(of: laboratory.topic)?.noted.compactedBelow == 5)
            try await append("6")
            laboratory.time.advance(by: .seconds(3600))
            let report = await maintain()
            #expect(await laboratory.layout() == "[1-4] [5-6]")
            #expect(report.before.segments == 2)
        }
    }

    @Test("keeps the ranges of fillers, whose neighbours become one part")
    func keepsFillers() async throws {
        try await laboratory.running(log) {
            try await append("1")
            try await laboratory.claim(1)
            try await laboratory.claim(2)
            laboratory.time.advance(by: .seconds(10))
            try await append("5", "6")
            laboratory.time.advance(by: .seconds(3600))
            _ = try await laboratory.read(log, .offset(2))
            #expect(await laboratory.layout() == "1-1 (2-2) (3-4) 5-5 6-6")
            let before = try await laboratory.read(log)
            laboratory.time.advance(by: .seconds(3600))
            let report = await maintain()
            #expect(await laboratory.layout() == "[1-6]", "\(report)")
            #expect(report.merges == 1)
            #expect(await laboratory.stored()[0].parts.map(\.offsetCount) == [1, 3, 1, 1])
            for limit in 1...4 {
                let page = try await laboratory.read(log, limit: limit)
                #expect(page.texts == Array(before.texts.prefix(limit)))
            }
            let rest = try await laboratory.read(log, .offset(3))
            #expect(rest.texts == ["5:5", "6:6"])
        }
    }

    @Test("closes holes that dead writers left, at the end of the topic too")
    func closesHoles() async throws {
        try await laboratory.running(log) {
            try await append("1")
            try await laboratory.claim(2)
            laboratory.time.advance(by: .seconds(10))
            try await append("4")
            try await laboratory.claim(3)
            laboratory.time.advance(by: .seconds(3600))
            let report = await maintain(Self.settings(minimum: 9))
            #expect(await laboratory.layout() == "1-1 (2-3) 4-4 (5-7)")
            #expect(report.holesClosed == 2 && report.isComplete, "\(report)")
        }
    }

    @Test("does not merge fillers alone: the version of their key would stay the same")
    func fillersAlone() async throws {
        try await laboratory.running(log) {
            _ = try await log.create(laboratory.topic)
            for _ in 0..<3 {
                try await laboratory.claim(1)
                laboratory.time.advance(by: .seconds(10))
                _ = try? await laboratory.read(log)
            }
            laboratory.time.advance(by: .seconds(4000))
            _ = await maintain()
            #expect(await laboratory.layout() == "(1-1) (2-2) (3-3)")
        }
    }

    @Test("finds its way by timestamps inside of a merged segment")
    func timeSeek() async throws {
        try await laboratory.running(log) {
            var times: [Timestamp] = []
            for payload in ["1", "2", "3", "4", "5", "6", "7"] {
                times.append(laboratory.time.now())
                try await append(payload)
                laboratory.time.advance(by: .seconds(60))
            }
            laboratory.time.advance(by: .seconds(3600))
            _ = await maintain(Self.settings(3))
            #expect(await laboratory.layout() == "[1-3] [4-6] 7-7")
            for (index, time) in times.enumerated() {
                #expect(try await laboratory.read(log, .since(time), limit: 1).texts == ["\(index + 1):\(index + 1)"])
            }
            let late = times[4].advanced(by: .seconds(1))
            #expect(try await laboratory.read(log, .since(late), limit: 1).texts == ["6:6"])
        }
    }

    @Test("lets a writer whose key was merged away find its own messages")
    func ownMessages() async throws {
        try await laboratory.running(log) {
            try await append("1")
            let claim = try await laboratory.claim(1)
            let segment = try Self.segment("2", at: claim, id: AppendID(high: 7, low: 8), laboratory.topic)
            #expect(await laboratory.memory.put(segment, signedAt: claim.at) == .stored)
            try await append("3")
            laboratory.time.advance(by: .seconds(3600))
            _ = await maintain()
            let covering = try #require(await laboratory.stored().first)
            #expect(covering.outcome(of: claim.range, appendedBy: AppendID(high: 7, low: 8)) == .stored)
            #expect(covering.outcome(of: claim.range, appendedBy: AppendID(high: 6, low: 8)) == .foreign)
        }
    }

    private static func segment(
        _ payload: String, at claim: Claim, id: AppendID, _ topic: TopicName
    ) throws -> Segment {
        var encoder = SegmentEncoder(first: claim.range.lowerBound, timestamp: claim.at, batchBytes: 1, count: 1)
        encoder.append(try .of(payload))
        return Segment(
            topic: topic, range: claim.range, kind: .messages, appendID: id, previousClaim: claim.previousClaim,
            timestamp: claim.at, body: encoder.body)
    }

    @Test("never lets a reader take what is missing before a cached segment for a hole")
    func cachedSegments() async throws {
        let cache = CachingSegmentStore(laboratory.memory, bytesMaximum: 1_000_000)
        let cached = laboratory.makeLog(table: laboratory.memory, segments: cache)
        try await laboratory.running(log, cached) {
            try await append("1", "2", "3")
            // The last one is in the cache by itself.
            _ = try await laboratory.read(cached, .offset(3))
            laboratory.time.advance(by: .seconds(3600))
            _ = await maintain()
            #expect(await laboratory.layout() == "[1-3]")
            #expect(try await laboratory.read(cached).texts == ["1:1", "2:2", "3:3"])
            #expect(await laboratory.layout() == "[1-3]")
        }
    }

    @Test("tidies up what a compactor left that died before its deletes")
    func leftovers() async throws {
        try await laboratory.running(log) {
            try await append("1", "2", "3", "4")
            laboratory.time.advance(by: .seconds(3600))
            let dying = DyingCompactor(laboratory.memory, deletesBeforeDeath: 1)
            let report = await log.maintain(on: dying, settings: Self.settings())
            #expect(!report.isComplete)
            #expect(await laboratory.layout() == "1-1 2-2 [1-4]")
            #expect(try await laboratory.read(log).texts == ["1:1", "2:2", "3:3", "4:4"])
            #expect(await maintain().isComplete)
            #expect(await laboratory.layout() == "[1-4]")
        }
    }

    @Test("stops at the first segment that another compactor has changed")
    func mismatch() async throws {
        try await laboratory.running(log) {
            try await append("1", "2", "3")
            laboratory.time.advance(by: .seconds(3600))
            let keys = (1...3).map { SegmentKey(topic: laboratory.topic, last: Offset(integerLiteral: $0)) }
            let memory = laboratory.memory
            let first = try #require(await memory.getVersions([keys[0]])[0])
            #expect(await !memory.replace(SegmentVersion(rawValue: "other"), with: first.segment))
            #expect(await !memory.delete(keys[0], SegmentVersion(rawValue: "other")))
            #expect(await memory.delete(keys[0], first.version))
            #expect(await memory.delete(keys[0], first.version))
        }
    }
}

/// A store whose user dies after some conditional deletes.
private actor DyingCompactor: MergingSegmentStore {
    private let base: InMemoryStore
    private var deletesLeft: Int
    nonisolated let keysPerList = 1000
    nonisolated let deletesPerCall = 1000

    init(_ base: InMemoryStore, deletesBeforeDeath: Int) {
        self.base = base
        deletesLeft = deletesBeforeDeath
    }

    func delete(_ key: SegmentKey, _ version: SegmentVersion) async throws(StoreError) -> Bool {
        guard deletesLeft > 0 else { throw StoreError(.unavailable, effect: .none, "dead") }
        deletesLeft -= 1
        return await base.delete(key, version)
    }

    func getVersions(_ keys: [SegmentKey]) async -> [StoredSegment?] { await base.getVersions(keys) }
    func replace(_ version: SegmentVersion, with segment: Segment) async -> Bool {
        await base.replace(version, with: segment)
    }
    func delete(_ keys: [SegmentKey]) async { await base.delete(keys) }
    func storedTopics(after: String, limit: Int) async -> [TopicName] {
        await base.storedTopics(after: after, limit: limit)
    }
    func put(_ segment: Segment, signedAt: Timestamp) async -> PutOutcome {
        await base.put(segment, signedAt: signedAt)
    }
    func get(_ keys: [SegmentKey]) async -> [Segment?] { await base.get(keys) }
    func list(_ topic: TopicName, from: Offset, limit: Int) async -> [SegmentListing] {
        await base.list(topic, from: from, limit: limit)
    }
}
