import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("The in-memory store")
struct InMemoryStoreTests {
    private typealias Conformance = PortConformance<InMemoryStore>

    private let topic: TopicName
    private let now = Timestamp(milliseconds: 1_702_000_000_000)

    init() throws {
        topic = try TopicName("orders")
    }

    @Test("keeps the promises of the ports", arguments: Conformance.checks + Conformance.mergingChecks)
    private func conforms(check: Conformance.Check) async throws {
        try await Conformance { InMemoryStore() }.run(check)
    }

    @Test("keeps the promises of lists with small pages", arguments: Conformance.listChecks)
    private func conformsWithSmallPages(check: Conformance.Check) async throws {
        try await Conformance { InMemoryStore(keysPerList: 2) }.run(check)
    }

    @Test("a claim shows in the head at once, as a hole")
    func claimsAreHoles() async throws {
        let store = InMemoryStore()
        let claim = try await makeTopicWithClaim(of: 3, in: store)
        let head = try #require(await store.head(of: topic))
        #expect(head.end == claim.range.upperBound)
        #expect(head.lastClaimStart == .first)
        #expect(head.lastClaimedAt == claim.at)
        #expect(await store.list(topic, from: .first, limit: 1).isEmpty)
    }

    @Test("a claim that is given back stays a hole")
    func releaseIsRefused() async throws {
        let store = InMemoryStore()
        let claim = try await makeTopicWithClaim(of: 3, in: store)
        #expect(await store.release(claim) == false)
        #expect(await store.head(of: topic)?.end == claim.range.upperBound)
    }

    @Test("a trim moves the earliest offset and drops the segments wholly below it", arguments: 1...9)
    func trimDropsWhatLiesBelow(before: Int64) async throws {
        let store = try await makeStoreWithThreeSegments()
        let before = try #require(Offset(before))
        #expect(await store.head(of: topic)?.earliest == .first)
        store.trim(topic, before: before)
        #expect(await store.head(of: topic)?.earliest == before)
        #expect(await lasts(in: store) == [2, 5, 8].filter { $0 >= before.rawValue })
        #expect(await store.head(of: topic)?.end.rawValue == 9)
    }

    @Test("a trim never goes back")
    func trimNeverGoesBack() async throws {
        let store = try await makeStoreWithThreeSegments()
        store.trim(topic, before: Offset.first.advanced(by: 5))
        store.trim(topic, before: Offset.first.advanced(by: 2))
        #expect(await store.head(of: topic)?.earliest.rawValue == 6)
        #expect(await lasts(in: store) == [8])
    }

    @Test("a trim stops at the end, and offsets go on from there")
    func trimStopsAtTheEnd() async throws {
        let store = try await makeStoreWithThreeSegments()
        store.trim(topic, before: Offset.first.advanced(by: 1000))
        let head = try #require(await store.head(of: topic))
        #expect(head.earliest.rawValue == 9)
        #expect(head.end.rawValue == 9)
        #expect(await lasts(in: store) == [])
        let request = ClaimRequest(topic: topic, count: 1, id: AppendID(high: 1, low: 99), at: now)
        guard case .claimed(let claim) = await store.claim(request) else {
            Issue.record("the topic should still be there")
            return
        }
        #expect(claim.range.lowerBound.rawValue == 9)
    }

    @Test("a trim touches no other topic, and none that does not exist")
    func trimTouchesOneTopic() async throws {
        let store = try await makeStoreWithThreeSegments()
        let other = try TopicName("orders-eu")
        store.trim(other, before: Offset.first.advanced(by: 5))
        #expect(await store.head(of: other) == nil)
        #expect(await lasts(in: store) == [2, 5, 8])
    }

    private func makeTopicWithClaim(of count: Int, in store: InMemoryStore) async throws -> Claim {
        _ = await store.create(topic, at: now)
        let id = AppendID(high: 1, low: 1)
        let request = ClaimRequest(topic: topic, count: count, id: id, at: now.advanced(by: .seconds(9)))
        guard case .claimed(let claim) = await store.claim(request) else { throw NoSuchTopic() }
        return claim
    }

    /// A store whose topic has segments with the offsets 1 to 2, 3 to 5 and 6 to 8.
    private func makeStoreWithThreeSegments() async throws -> InMemoryStore {
        let store = InMemoryStore()
        _ = await store.create(topic, at: now)
        for (number, count) in [2, 3, 3].enumerated() {
            let id = AppendID(high: 1, low: UInt64(number))
            let request = ClaimRequest(topic: topic, count: count, id: id, at: now)
            guard case .claimed(let claim) = await store.claim(request) else { throw NoSuchTopic() }
            let segment = Segment(
                topic: topic, range: claim.range, kind: .messages, appendID: id, previousClaim: claim.previousClaim,
                timestamp: now, body: [1, 2, 3])
            #expect(await store.put(segment, signedAt: now) == .stored)
        }
        return store
    }

    private func lasts(in store: InMemoryStore) async -> [Int64] {
        await store.list(topic, from: .first, limit: 10).map(\.key.last.rawValue)
    }
}

private struct NoSuchTopic: Error {}
