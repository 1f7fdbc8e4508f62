import StreamsCore
import StreamsModel
import Testing

extension PortConformance {
    /// What is promised of a topic's head.
    package static var headChecks: [Check] {
        [
            Check("a new topic begins and ends at offset 1", PortConformance.newHeadIsEmpty),
            Check("the head covers a segment as soon as it is stored", PortConformance.headCoversWhatIsStored),
            Check("the head shows a claim with its start or not at all", PortConformance.headShowsWholeClaims),
            Check("the end never goes back", PortConformance.endNeverGoesBack),
            Check("the head carries the times of claim and creation", PortConformance.headCarriesTimes),
        ]
    }

    /// A new topic has no claims: its times are that of its creation.
    package func newHeadIsEmpty(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let expected = TopicHead(
            earliest: .first, end: .first, lastClaimStart: nil, lastClaimedAt: now, createdAt: now)
        #expect(try await store.head(of: topic) == expected)
    }

    /// When every claim is stored the head is known exactly.
    package func headCoversWhatIsStored(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for (number, count) in [1, 4, 1, 100, 3].enumerated() {
            let segment = try await append(count, to: topic, number: number, in: store)
            let head = try await head(of: topic, in: store)
            #expect(head.end == segment.range.upperBound)
            #expect(head.lastClaimStart == segment.range.lowerBound)
            #expect(head.earliest == .first)
        }
    }

    /// Claims that are not stored show in the head or not; the start of the last claim always fits the end.
    package func headShowsWholeClaims(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let stored = try await append(2, to: topic, number: 1, in: store)
        var shown: [Offset: Offset] = [stored.range.upperBound: stored.range.lowerBound]
        for number in 2...5 {
            let claim = try await claim(number, of: topic, number: number, in: store)
            shown[claim.range.upperBound] = claim.range.lowerBound
            let head = try await head(of: topic, in: store)
            #expect(head.end >= stored.range.upperBound)
            #expect(head.lastClaimStart == shown[head.end])
            #expect(head.earliest == .first)
        }
    }

    /// Segments may be stored in any order; the end covers the highest and stays there.
    package func endNeverGoesBack(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var claims: [Claim] = []
        for number in 0..<6 { claims.append(try await claim(number + 1, of: topic, number: number, in: store)) }
        var end = Offset.first
        for number in [1, 0, 4, 2, 5, 3] {
            try await self.store(segment(for: claims[number], number: number), in: store)
            let head = try await head(of: topic, in: store)
            #expect(head.end >= max(end, claims[number].range.upperBound))
            #expect(claims.contains { $0.range.upperBound == head.end && $0.range.lowerBound == head.lastClaimStart })
            end = head.end
        }
        #expect(end == claims[5].range.upperBound)
        let next = try await claim(1, of: topic, number: 6, in: store)
        #expect(next.range.lowerBound == end)
        #expect(next.previousClaim == claims[5].range.lowerBound)
    }

    /// The time of the newest claim is the claimer's, even where its clock runs behind another's.
    package func headCarriesTimes(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for (number, seconds) in [5, 7, 6, -600, 0, 1].enumerated() {
            let time = now.advanced(by: .seconds(seconds))
            let claim = try await claim(2, of: topic, number: number, at: time, in: store)
            #expect(claim.at == time)
            try await self.store(segment(for: claim, number: number), in: store)
            let head = try await head(of: topic, in: store)
            #expect(head.lastClaimedAt == time)
            #expect(head.createdAt == now)
        }
    }
}
