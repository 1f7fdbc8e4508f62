@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Topics of a log", .timeLimit(.minutes(2)))
struct LogTopicTests {
    let laboratory: Laboratory
    let topic: TopicName
    let log: Log

    init() throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
        log = laboratory.makeLog()
    }

    @Test("are created once")
    func create() async throws {
        #expect(try await log.create(topic))
        laboratory.time.advance(by: .seconds(1))
        #expect(try await !log.create(topic))
        let info = try await log.info(of: topic)
        #expect(info.earliest == 1 && info.end == 1)
        #expect(info.createdAt == laboratory.time.now().advanced(by: .seconds(-1)))
        #expect(info.updatedAt == info.createdAt)
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            #expect(try await !log.create(topic))
            #expect(try await log.info(of: topic).end == 2)
            #expect(try await log.info(of: topic).updatedAt == laboratory.time.now())
        }
    }

    @Test("whose counter was lost refuse appends, and are not created over their messages")
    func lostCounter() async throws {
        try await laboratory.writeDirectly([2, 3])
        let before = await laboratory.stored()
        let amnesiac = AmnesiacStore(segments: laboratory.memory)
        let log = laboratory.makeLog(over: amnesiac)
        try await laboratory.running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("1"), to: topic) } == .unavailable)
            #expect(await laboratory.code { _ = try await log.create(topic) } == .unavailable)
            #expect(await laboratory.code { _ = try await log.append(.of("1"), to: topic) } == .unavailable)
        }
        #expect(await amnesiac.table.head(of: topic) == nil)
        #expect(await laboratory.stored() == before)
    }

    @Test("are listed in name order, with word whether there are more")
    func list() async throws {
        for name in ["b", "a", "a-1", "a-2", "B"] { _ = try await log.create(TopicName(name)) }
        func names(_ prefix: String, _ after: String, _ limit: Int) async throws -> ([String], Bool) {
            let (names, hasMore) = try await log.topics(prefix: prefix, after: after, limit: limit)
            return (names.map(\.rawValue), hasMore)
        }
        #expect(try await names("", "", 10) == (["B", "a", "a-1", "a-2", "b"], false))
        #expect(try await names("", "", 5) == (["B", "a", "a-1", "a-2", "b"], false))
        #expect(try await names("", "", 4) == (["B", "a", "a-1", "a-2"], true))
        #expect(try await names("a", "a", 1) == (["a-1"], true))
        #expect(try await names("a", "a-1", 1) == (["a-2"], false))
        #expect(try await names("c", "", 1) == ([], false))
    }

    @Test("of a store that takes claims back keep no hole after a failed append")
    func release() async throws {
        let store = ReleasingStore()
        let fault = Shared<StoreFault>(.refused(.outOfSpace))
        let log = laboratory.makeLog(
            over: FaultInjectingStore(store) { call in
                if case .put = call { fault.value } else { .none }
            })
        try await laboratory.running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("1", "2"), to: topic) } == .unavailable)
            #expect(await store.head(of: topic)?.end == 1)
            // Where the outcome is unknown, nothing may be taken back.
            fault.change { $0 = StoreFault(isPerformed: false, error: StoreError(.closed, effect: .unknown, "")) }
            #expect(await laboratory.code { _ = try await log.append(.of("3"), to: topic) } == .outcomeUnknown)
            fault.change { $0 = .none }
            #expect(try await log.append(.of("4"), to: topic).range == 2..<3)
        }
        #expect(await store.releases == [1..<3])
    }
}

/// A store that has lost the items of its topics, but not their segments.
struct AmnesiacStore: Table, SegmentStore {
    let table = InMemoryStore()
    let segments: InMemoryStore
    var keysPerList: Int { segments.keysPerList }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome { await table.claim(request) }

    func head(of topic: TopicName) async throws(StoreError) -> TopicHead? { await table.head(of: topic) }

    func create(_ topic: TopicName, at now: Timestamp) async throws(StoreError) -> Bool {
        await table.create(topic, at: now)
    }

    func topics(prefix: String, after: String, limit: Int) async throws(StoreError) -> [TopicName] {
        await table.topics(prefix: prefix, after: after, limit: limit)
    }

    func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        await segments.put(segment, signedAt: signedAt)
    }

    func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] { await segments.get(keys) }

    func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        await segments.list(topic, from: from, limit: limit)
    }
}

/// A store of one topic whose end moves back when its newest claim is released.
actor ReleasingStore: Table, SegmentStore {
    nonisolated let keysPerList = 10
    private(set) var releases: [Range<Offset>] = []
    private var end: Offset?
    private var segments: [Segment] = []

    func claim(_ request: ClaimRequest) -> ClaimOutcome {
        guard let start = end else { return .noSuchTopic }
        end = start.advanced(by: request.count)
        return .claimed(
            Claim(
                topic: request.topic, range: start..<start.advanced(by: request.count), previousClaim: nil,
                at: request.at))
    }

    func release(_ claim: Claim) -> Bool {
        guard end == claim.range.upperBound else { return false }
        releases.append(claim.range)
        end = claim.range.lowerBound
        return true
    }

    func head(of topic: TopicName) -> TopicHead? {
        end.map { end in
            TopicHead(
                earliest: 1, end: end, lastClaimStart: nil, lastClaimedAt: Timestamp(milliseconds: 0),
                createdAt: Timestamp(milliseconds: 0))
        }
    }

    func create(_ topic: TopicName, at now: Timestamp) -> Bool {
        guard end == nil else { return false }
        end = 1
        return true
    }

    func topics(prefix: String, after: String, limit: Int) -> [TopicName] { [] }

    func put(_ segment: Segment, signedAt: Timestamp) -> PutOutcome {
        guard !segments.contains(where: { $0.key == segment.key }) else { return .taken }
        segments.append(segment)
        return .stored
    }

    func get(_ keys: [SegmentKey]) -> [Segment?] { keys.map { key in segments.first { $0.key == key } } }

    func list(_ topic: TopicName, from: Offset, limit: Int) -> [SegmentListing] {
        let found = segments.filter { $0.range.last >= from }.sorted { $0.range.last < $1.range.last }
        return found.prefix(limit).map { SegmentListing(key: $0.key, bodyBytes: $0.body.count) }
    }
}
