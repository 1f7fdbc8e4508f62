import StreamsCore
import StreamsModel
import Testing

/// Where a store's counters can not go back, closing must be refused, and there is nothing more to promise.
extension PortConformance {
    /// What is promised of closing a topic whose counter went back, and of opening it again.
    package static var closingChecks: [Check] {
        [
            Check("a closed topic takes no claims, and is otherwise as it was", PortConformance.closedTakesNoClaims),
            Check("a topic stays closed until the time that was set first", PortConformance.firstClosingCounts),
            Check("a topic is opened above its segments", PortConformance.opensAboveSegments),
            Check("a topic is opened by one of many", PortConformance.openingHasOneWinner),
            Check("an old item is claimed from only by who confirms its end", PortConformance.oldItemIsConfirmed),
            Check("a topic without an item can be closed and opened", PortConformance.lostTopicIsOpened),
        ]
    }

    private func claimsAreRefused(
        _ topic: TopicName, until: Timestamp, in store: Store, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let request = ClaimRequest(topic: topic, count: 1, id: appendID(999), at: now)
        let outcome = try await store.claim(request)
        #expect(outcome == .closed(until: until), sourceLocation: sourceLocation)
    }

    private func close(_ topic: TopicName, until: Timestamp, in store: Store) async throws -> Bool {
        if store.mayGoBack {
            try await store.close(topic, until: until)
            return true
        }
        await #expect(throws: StoreError.self) { try await store.close(topic, until: until) }
        return false
    }

    /// Claims are refused with the time; what is stored can be read as before.
    package func closedTakesNoClaims(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let segment = try await append(3, to: topic, number: 1, in: store)
        let until = now.advanced(by: .seconds(60))
        guard try await close(topic, until: until, in: store) else { return }
        try await claimsAreRefused(topic, until: until, in: store)
        let head = try await head(of: topic, in: store)
        #expect(head.end == segment.range.upperBound && head.earliest == .first)
        #expect(head.closedUntil == until)
        expect(try await store.get([segment.key])[0], toBe: segment)
        let other = try await makeTopic("others", in: store)
        #expect(try await claim(1, of: other, number: 1, in: store).range.lowerBound == .first)
    }

    /// A claim that asks for it is refused where the claim before is too old, unless it names the end as it is.
    package func oldItemIsConfirmed(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        guard store.mayGoBack else { return }
        var request = ClaimRequest(topic: topic, count: 2, id: appendID(1), at: now, trustedAge: .zero)
        // The topic is of this moment.
        let first = try await claimed(request, in: store)
        #expect(first?.range.lowerBound == .first)
        request = ClaimRequest(
            topic: topic, count: 1, id: appendID(2), at: now.advanced(by: .milliseconds(1)), trustedAge: .zero)
        let end = Offset.first.advanced(by: 2)
        #expect(try await store.claim(request) == .unconfirmed(end: end))
        request.confirmedEnd = .first
        #expect(try await store.claim(request) == .unconfirmed(end: end))
        request.confirmedEnd = end
        let second = try await claimed(request, in: store)
        #expect(second?.range == end..<end.advanced(by: 1))
        #expect(second?.previousClaim == .first)
        // A retry finds its own claim, whatever it asked for.
        #expect(try await claimed(request, in: store)?.range == second?.range)
        #expect(try await head(of: topic, in: store).end == end.advanced(by: 1))
    }

    private func claimed(_ request: ClaimRequest, in store: Store) async throws -> Claim? {
        guard case .claimed(let claim) = try await store.claim(request) else { return nil }
        return claim
    }

    /// A second closing neither lengthens nor shortens the first.
    package func firstClosingCounts(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let until = now.advanced(by: .seconds(60))
        guard try await close(topic, until: until, in: store) else { return }
        for seconds in [1, 600] {
            _ = try await close(topic, until: now.advanced(by: .seconds(seconds)), in: store)
            try await claimsAreRefused(topic, until: until, in: store)
        }
    }

    /// The end moves up, never down, no claim start is left, and claims go on from there.
    package func opensAboveSegments(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        let until = now.advanced(by: .seconds(60))
        guard try await close(topic, until: until, in: store) else { return }
        let high = Offset.first.advanced(by: 100)
        let wrong = until.advanced(by: .milliseconds(1))
        #expect(try await !store.reopen(topic, closedUntil: wrong, earliest: .first, end: high, at: now))
        try await claimsAreRefused(topic, until: until, in: store)
        #expect(try await store.reopen(topic, closedUntil: until, earliest: .first, end: high, at: now))
        let opened = try await head(of: topic, in: store)
        #expect(opened.end == high && opened.earliest == .first)
        #expect(opened.lastClaimStart == nil && opened.closedUntil == nil)
        let claim = try await claim(2, of: topic, number: 2, in: store)
        #expect(claim.range.lowerBound == high && claim.previousClaim == nil)
        // Again, with an end below: nothing goes back.
        guard try await close(topic, until: until, in: store) else { return }
        #expect(try await store.reopen(topic, closedUntil: until, earliest: .first, end: high, at: now))
        #expect(try await head(of: topic, in: store).end == claim.range.upperBound)
    }

    /// Whoever comes second is told so, and changes nothing.
    package func openingHasOneWinner(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let until = now.advanced(by: .seconds(60))
        guard try await close(topic, until: until, in: store) else { return }
        let high = Offset.first.advanced(by: 10)
        let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 1...8 {
                group.addTask {
                    try await store.reopen(topic, closedUntil: until, earliest: .first, end: high, at: now)
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(winners == 1)
        #expect(try await claim(1, of: topic, number: 1, in: store).range.lowerBound == high)
    }

    /// Closing makes the item that is missing; readers may ask from the lowest segment on.
    package func lostTopicIsOpened(on store: Store) async throws {
        let topic = try TopicName("lost")
        let until = now.advanced(by: .seconds(60))
        guard try await close(topic, until: until, in: store) else { return }
        try await claimsAreRefused(topic, until: until, in: store)
        #expect(try await !store.create(topic, at: now))
        let low = Offset.first.advanced(by: 6)
        let high = Offset.first.advanced(by: 20)
        #expect(try await store.reopen(topic, closedUntil: until, earliest: low, end: high, at: now))
        let opened = try await head(of: topic, in: store)
        #expect(opened.earliest == low && opened.end == high)
        #expect(try await claim(1, of: topic, number: 1, in: store).range.lowerBound == high)
        #expect(try await head(of: topic, in: store).earliest == low)
        #expect(try await store.topics(prefix: "", after: "", limit: 10) == [topic])
    }
}
