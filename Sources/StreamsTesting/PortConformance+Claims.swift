import StreamsCore
import StreamsModel
import Testing

extension PortConformance {
    /// What is promised of claims.
    package static var claimChecks: [Check] {
        [
            Check("claims take the offsets from 1 on, one after another", PortConformance.claimsAreConsecutive),
            Check("each claim knows the one before it", PortConformance.claimsKnowTheOneBefore),
            Check("a claim that is tried again is the same claim", PortConformance.claimRetryIsTheSame),
            Check("a claim that another one covered is taken anew", PortConformance.coveredClaimIsTakenAnew),
            Check("claims differ when any bit of their ids does", PortConformance.claimIDsHave128Bits),
            Check("one claim tried many times at once is one claim", PortConformance.concurrentRetriesAreOneClaim),
            Check("a first claim creates its topic", PortConformance.firstClaimCreates),
            Check("of many first claims each has its own offsets", PortConformance.firstClaimsShareOneTopic),
            Check("topics count their offsets apart", PortConformance.topicsCountApart),
            Check("a claim may be larger than memory", PortConformance.claimsMayBeLarge),
            Check("a claim given back is a hole or the next claim", PortConformance.releaseIsAHoleOrTheNextClaim),
            Check("a claim below another is not given back", PortConformance.releaseBelowAClaimIsRefused),
        ]
    }

    /// Ranges begin at 1, are as long as asked, and leave nothing out, stored or not.
    package func claimsAreConsecutive(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var next = Offset.first
        for (number, count) in [1, 1, 5, 1, 10_000, 2, 1].enumerated() {
            let claim = try await claim(count, of: topic, number: number, in: store)
            #expect(claim.range == next..<next.advanced(by: count))
            #expect(claim.at == now)
            next = claim.range.upperBound
            if number % 3 == 1 { try await self.store(segment(for: claim, number: number), in: store) }
        }
    }

    /// The first claim of a topic has none before it; each other names the first offset of its predecessor.
    package func claimsKnowTheOneBefore(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var previous: Offset?
        for (number, count) in [3, 1, 7, 2, 2].enumerated() {
            let claim = try await claim(count, of: topic, number: number, in: store)
            #expect(claim.previousClaim == previous)
            previous = claim.range.lowerBound
            if number % 2 == 0 { try await self.store(segment(for: claim, number: number), in: store) }
        }
    }

    /// A retry of the newest claim gives its range and time again and takes nothing, before its put and after.
    package func claimRetryIsTheSame(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let below = try await claim(2, of: topic, number: 1, in: store)
        let first = try await claim(3, of: topic, number: 2, in: store)
        for delay in [Duration.zero, .seconds(2)] {
            let retry = try await claim(3, of: topic, number: 2, at: now.advanced(by: delay), in: store)
            expectRetry(retry, of: first)
        }
        try await self.store(segment(for: first, number: 2), in: store)
        expectRetry(try await claim(3, of: topic, number: 2, in: store), of: first)
        try await self.store(segment(for: below, number: 1), in: store)
        expectRetry(try await claim(3, of: topic, number: 2, in: store), of: first)
        let next = try await claim(1, of: topic, number: 3, in: store)
        #expect(next.range.lowerBound == first.range.upperBound)
        #expect(next.previousClaim == first.range.lowerBound)
    }

    /// A table may know the claim before only when it takes a claim, and no more when it finds it again.
    private func expectRetry(_ retry: Claim, of first: Claim, sourceLocation: SourceLocation = #_sourceLocation) {
        var retry = retry
        if retry.previousClaim == nil { retry.previousClaim = first.previousClaim }
        #expect(retry == first, sourceLocation: sourceLocation)
    }

    /// Once another claim came after it, a retry takes a new range above all others.
    package func coveredClaimIsTakenAnew(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let lost = try await claim(2, of: topic, number: 1, in: store)
        let other = try await claim(3, of: topic, number: 2, in: store)
        let retry = try await claim(2, of: topic, number: 1, in: store)
        #expect(retry.range.lowerBound == other.range.upperBound)
        #expect(retry.previousClaim == other.range.lowerBound)
        #expect(lost.range.upperBound == other.range.lowerBound)
        expectRetry(try await claim(2, of: topic, number: 1, in: store), of: retry)
    }

    /// Ids that differ in one bit, high or low, belong to different claims.
    package func claimIDsHave128Bits(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let ids = [
            AppendID(high: 0, low: 0), AppendID(high: 0, low: 1), AppendID(high: 0, low: 1 << 63),
            AppendID(high: 1, low: 1 << 63), AppendID(high: 1 << 63, low: 1 << 63), AppendID(high: 1 << 63, low: 0),
            AppendID(high: .max, low: 0), AppendID(high: .max, low: .max), AppendID(high: .max >> 1, low: .max),
            AppendID(high: .max >> 1, low: .max >> 1), AppendID(high: 0, low: 0),
        ]
        var next = Offset.first
        for id in ids {
            let first = try await claim(1, of: topic, id: id, in: store)
            #expect(first.range.lowerBound == next)
            expectRetry(try await claim(1, of: topic, id: id, in: store), of: first)
            next = first.range.upperBound
        }
    }

    /// A retry may overtake its first try; whoever comes first, all get one range.
    package func concurrentRetriesAreOneClaim(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var next = Offset.first
        for number in 1...8 {
            let claims = try await withThrowingTaskGroup(of: Claim.self) { group in
                for _ in 1...8 {
                    group.addTask { try await claim(4, of: topic, number: number, in: store) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(claims.allSatisfy { $0.range == next..<next.advanced(by: 4) })
            next = next.advanced(by: 4)
        }
    }

    /// The topic is there with the claim, is listed, and a retry finds the claim again.
    package func firstClaimCreates(on store: Store) async throws {
        let topic = try TopicName("new")
        let request = ClaimRequest(topic: topic, count: 3, id: appendID(1), at: now)
        guard case .claimed(let first) = try await store.claimCreating(request) else {
            throw UnexpectedOutcome(description: "a first claim was refused")
        }
        #expect(first.range == .first..<Offset.first.advanced(by: 3) && first.at == now && first.previousClaim == nil)
        try await self.store(segment(for: first, number: 1), in: store)
        let head = try await head(of: topic, in: store)
        #expect(head.end == first.range.upperBound && head.createdAt == now && head.earliest == .first)
        #expect(try await store.topics(prefix: "", after: "", limit: 10) == [topic])
        guard case .claimed(let retry) = try await store.claimCreating(request) else {
            throw UnexpectedOutcome(description: "the retry of a first claim was refused")
        }
        expectRetry(retry, of: first)
        #expect(try await !store.create(topic, at: now))
        let next = try await claim(1, of: topic, number: 2, in: store)
        #expect(next.range.lowerBound == first.range.upperBound && next.previousClaim == first.range.lowerBound)
    }

    /// Whoever comes first creates the topic; the others claim after it.
    package func firstClaimsShareOneTopic(on store: Store) async throws {
        let topic = try TopicName("new")
        let claims = try await withThrowingTaskGroup(of: Claim?.self) { group in
            for number in 1...16 {
                group.addTask {
                    let request = ClaimRequest(topic: topic, count: number, id: self.appendID(number), at: now)
                    guard case .claimed(let claim) = try await store.claimCreating(request) else { return nil }
                    return claim
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let ranges = claims.compactMap { $0?.range }.sorted { $0.lowerBound < $1.lowerBound }
        #expect(ranges.count == 16)
        var next = Offset.first
        for range in ranges {
            #expect(range.lowerBound == next)
            next = range.upperBound
        }
    }

    /// Claims of one topic move no other, whatever their names have in common; ids are the topic's own.
    package func topicsCountApart(on store: Store) async throws {
        let names = ["a", "A", "a-", "a.", "a_", "aa", "a.a", "a_a", "-a", ".a", "_a"]
        for name in names { _ = try await makeTopic(name, in: store) }
        for (place, name) in names.enumerated() {
            let topic = try TopicName(name)
            let first = try await claim(place + 1, of: topic, number: 1, in: store)
            let second = try await claim(1, of: topic, number: 2, in: store)
            #expect(first.range.lowerBound == .first)
            #expect(second.range.lowerBound == first.range.upperBound)
            try await self.store(segment(for: second, number: 2), in: store)
        }
        for (place, name) in names.enumerated() {
            #expect(try await head(of: TopicName(name), in: store).end.rawValue == Int64(place + 3))
        }
    }

    /// Offsets around and above 2^32 and 2^40 are counted like small ones.
    package func claimsMayBeLarge(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var next = Offset.first
        for (number, count) in [(1 << 31) - 2, 1, 1, 1 << 31, 1, 1 << 40, 1, 1 << 52, 1].enumerated() {
            let claim = try await claim(count, of: topic, number: number, in: store)
            #expect(claim.range == next..<next.advanced(by: count))
            next = claim.range.upperBound
            if count == 1 {
                try await self.store(segment(for: claim, number: number), in: store)
                #expect(try await head(of: topic, in: store).end == next)
            }
        }
    }

    /// After a release the next claim takes the same offsets if it was granted, those above if not.
    package func releaseIsAHoleOrTheNextClaim(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let below = try await append(2, to: topic, number: 1, in: store)
        let given = try await claim(3, of: topic, number: 2, in: store)
        let isBack = await store.release(given)
        let next = try await claim(4, of: topic, number: 3, in: store)
        let before = isBack ? below.range : given.range
        #expect(next.range.lowerBound == before.upperBound)
        #expect(next.previousClaim == before.lowerBound)
        try await self.store(segment(for: next, number: 3), in: store)
        let head = try await head(of: topic, in: store)
        #expect(head.end == next.range.upperBound)
        #expect(head.lastClaimStart == next.range.lowerBound)
        let last = try await claim(1, of: topic, number: 4, in: store)
        #expect(last.range.lowerBound == next.range.upperBound)
        #expect(last.previousClaim == next.range.lowerBound)
    }

    /// A range below another claim stays a hole, or a later message would get a lower offset.
    package func releaseBelowAClaimIsRefused(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let below = try await claim(3, of: topic, number: 1, in: store)
        let above = try await claim(2, of: topic, number: 2, in: store)
        #expect(await store.release(below) == false)
        let next = try await claim(3, of: topic, number: 3, in: store)
        #expect(next.range.lowerBound == above.range.upperBound)
        #expect(next.previousClaim == above.range.lowerBound)
    }
}
