import StreamsCore
import StreamsModel
import Synchronization
import Testing

extension PortConformance {
    /// What is promised when many use a store at once.
    package static var concurrencyChecks: [Check] {
        [
            Check("64 concurrent claimers share the offsets out", PortConformance.concurrentClaimsAreConsecutive),
            Check("what was stored is seen by all that begins later", PortConformance.whatIsStoredIsSeen),
            Check("the head is of one moment while many append", PortConformance.headIsOfOneMoment),
        ]
    }

    /// Claims are disjoint, leave nothing out, know their predecessors, and follow the order of time.
    package func concurrentClaimsAreConsecutive(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let highestReturned = Shared(Offset.first)
        let claims = try await withThrowingTaskGroup(of: [Claim].self) { group in
            for claimer in 0..<64 {
                group.addTask { [self] in
                    var claims: [Claim] = []
                    for number in 0..<8 {
                        let floor = highestReturned.withLock { $0 }
                        let count = (claimer * 7 + number * 5) % 13 + 1
                        let claim = try await claim(count, of: topic, number: claimer * 100 + number, in: store)
                        #expect(claim.range.lowerBound >= floor, "a claim that begins later lies higher")
                        highestReturned.withLock { $0 = max($0, claim.range.upperBound) }
                        claims.append(claim)
                    }
                    return claims
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try #require(claims.count == 64 * 8)
        var next = Offset.first
        var previous: Offset?
        for claim in claims.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            try #require(claim.range.lowerBound == next)
            #expect(claim.previousClaim == previous)
            next = claim.range.upperBound
            previous = claim.range.lowerBound
        }
    }

    /// A put that was acknowledged shows in every get, list and head that begins afterwards, with others under way.
    package func whatIsStoredIsSeen(on store: Store) async throws {
        let topics = [try await makeTopic("a", in: store), try await makeTopic("a-", in: store)]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<32 {
                group.addTask { [self] in
                    for number in 0..<4 {
                        let number = writer * 100 + number
                        let segment = try await append(
                            writer % 5 + 1, to: topics[writer % 2], number: number, in: store)
                        try await expectToSee(segment, in: store)
                    }
                }
            }
            try await group.waitForAll()
        }
        for topic in topics {
            let listings = try await store.list(topic, from: .first, limit: 1000)
            #expect(listings.count == 64)
            let segments = try await store.get(listings.map(\.key)).compactMap(\.self)
            #expect(segments.first?.range.lowerBound == .first)
            #expect(zip(segments, segments.dropFirst()).allSatisfy { $0.range.upperBound == $1.range.lowerBound })
            #expect(segments.last?.range.upperBound == (try await head(of: topic, in: store).end))
        }
    }

    private func expectToSee(_ segment: Segment, in store: Store) async throws {
        expect(try await store.get([segment.key])[0], toBe: segment)
        let listings = try await store.list(segment.topic, from: segment.range.lowerBound, limit: 1)
        #expect(listings == [SegmentListing(key: segment.key, bodyBytes: segment.body.count)])
        #expect(try await head(of: segment.topic, in: store).end >= segment.range.upperBound)
    }

    /// The end never goes back, and the start of the last claim belongs to it: from two moments it would lose messages.
    package func headIsOfOneMoment(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let starts = Shared<[Offset: Offset]>([:])
        let writing = Shared(16)
        let heads = try await withThrowingTaskGroup(of: [TopicHead].self) { group in
            for writer in 0..<16 {
                group.addTask { [self] in
                    defer { writing.withLock { $0 -= 1 } }
                    for number in 0..<16 {
                        let count = (writer + number) % 9 + 1
                        let segment = try await append(count, to: topic, number: writer * 100 + number, in: store)
                        starts.withLock { $0[segment.range.upperBound] = segment.range.lowerBound }
                        await Task.yield()
                    }
                    return []
                }
            }
            for _ in 0..<4 {
                group.addTask { [self] in
                    var heads: [TopicHead] = []
                    repeat {
                        heads.append(try await head(of: topic, in: store))
                        await Task.yield()
                    } while writing.withLock { $0 > 0 }
                    #expect(zip(heads, heads.dropFirst()).allSatisfy { $0.end <= $1.end })
                    return heads
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let startOfEnd = starts.withLock { $0 }
        for head in heads where head.end > .first {
            try #require(head.lastClaimStart == startOfEnd[head.end])
        }
    }
}

/// A value that the tasks of a check share; a `Mutex` alone can not be captured by several.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { value in
            body(&value)
        }
    }
}
