import StreamsCore
import StreamsModel
import Testing

/// Claims under conditions, and the fencing token that is one.
extension PortConformance {
    /// What is promised of claims that expect the topic to end somewhere.
    package static var conditionChecks: [Check] {
        [
            Check("a claim that expects the end gets it", PortConformance.expectedEndIsClaimed),
            Check("a claim that expects another end takes nothing", PortConformance.otherEndIsRefused),
            Check("of many claims that expect one end one succeeds", PortConformance.oneOfManyGetsTheEnd),
            Check(
                "a claim under a condition that is tried again is the same", PortConformance.conditionalRetryIsTheSame),
            Check(
                "a deleted topic is made again only by a claim that meets its conditions",
                PortConformance.deletedTopicHasConditions),
        ]
    }

    /// What is promised of fencing tokens.
    package static var fenceChecks: [Check] {
        [
            Check("a topic has no token until one is set", PortConformance.noTokenAtFirst),
            Check("claims must carry the token that is set", PortConformance.claimsCarryTheToken),
            Check("a token is set on condition of the one before", PortConformance.tokenIsSetOnCondition),
            Check("setting a token tells an end above all claims before it", PortConformance.fenceTellsTheEnd),
            Check("a topic that does not exist can not be fenced", PortConformance.missingTopicIsNotFenced),
            Check("of many who replace one token one succeeds", PortConformance.tokenHasOneSuccessor),
        ]
    }

    private func token(_ text: String) throws -> FencingToken { try FencingToken(text) }

    private func outcome(
        _ topic: TopicName, number: Int, count: Int = 1, end: Offset? = nil, token: FencingToken? = nil, in store: Store
    ) async throws -> ClaimOutcome {
        try await store.claim(
            ClaimRequest(
                topic: topic, count: count, id: appendID(number), at: now, expectedEnd: end, fencingToken: token))
    }

    private func range(_ outcome: ClaimOutcome) -> Range<Offset>? {
        guard case .claimed(let claim) = outcome else { return nil }
        return claim.range
    }

    private func offset(_ number: Int) -> Offset { Offset.first.advanced(by: number - 1) }

    /// Claims that follow one another, each at the end that the one before made.
    package func expectedEndIsClaimed(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        #expect(range(try await outcome(topic, number: 1, count: 2, end: .first, in: store)) == .first..<offset(3))
        #expect(range(try await outcome(topic, number: 2, end: offset(3), in: store)) == offset(3)..<offset(4))
        // To a topic that is not there yet, too.
        let other = try TopicName("new")
        let request = ClaimRequest(topic: other, count: 1, id: appendID(3), at: now, expectedEnd: .first)
        #expect(range(try await store.claimCreating(request)) == .first..<offset(2))
    }

    /// What is refused leaves the topic deleted; the end is the one that it had.
    package func deletedTopicHasConditions(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        _ = try await store.setFencingToken(try token("old"), of: topic, if: .none)
        try await store.delete(topic, createdAt: now, at: now.advanced(by: .milliseconds(5)))
        #expect(try await store.setFencingToken(try token("late"), of: topic, if: .none) == .noSuchTopic)
        var request = ClaimRequest(
            topic: topic, count: 1, id: appendID(2), at: now.advanced(by: .milliseconds(6)), expectedEnd: .first)
        #expect(try await store.claimCreating(request) == .endMismatch(end: offset(4)))
        request.expectedEnd = nil
        request.fencingToken = try token("old")
        #expect(try await store.claimCreating(request) == .fenced)
        #expect(try await store.head(of: topic)?.isDeleted == true)
        request.fencingToken = nil
        request.expectedEnd = offset(4)
        #expect(range(try await store.claimCreating(request)) == offset(4)..<offset(5))
    }

    /// Lower and higher ends are refused with the one that is so; offsets go on as if nothing had been.
    package func otherEndIsRefused(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        for wrong in [1, 3, 5, 1000] {
            let refused = try await outcome(topic, number: 10 + wrong, end: offset(wrong), in: store)
            #expect(refused == .endMismatch(end: offset(4)))
        }
        #expect(try await claim(1, of: topic, number: 2, in: store).range.lowerBound == offset(4))
        // Claims count that are not stored yet.
        #expect(try await outcome(topic, number: 3, end: offset(4), in: store) == .endMismatch(end: offset(5)))
        #expect(range(try await outcome(topic, number: 4, end: offset(5), in: store)) == offset(5)..<offset(6))
    }

    /// Exactly one of those who come at once.
    package func oneOfManyGetsTheEnd(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(2, to: topic, number: 1, in: store)
        let end = offset(3)
        let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<16 {
                group.addTask {
                    range(try await outcome(topic, number: 100 + number, end: end, in: store)) == end..<offset(4)
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(winners == 1)
    }

    /// A lost answer is no refusal: the second try finds the first one's claim.
    package func conditionalRetryIsTheSame(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let first = try await outcome(topic, number: 1, count: 3, end: .first, in: store)
        let second = try await outcome(topic, number: 1, count: 3, end: .first, in: store)
        #expect(range(first) != nil && range(first) == range(second))
    }

    /// Without one, and a claim that carries one is refused.
    package func noTokenAtFirst(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        #expect(try await head(of: topic, in: store).fencingToken == nil)
        #expect(try await outcome(topic, number: 1, token: token("a"), in: store) == .fenced)
        #expect(range(try await outcome(topic, number: 2, in: store)) != nil)
    }

    /// The old token, another one and none are refused; without a token all is as before.
    package func claimsCarryTheToken(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let (old, new) = (try token("old"), try token("new"))
        guard case .set(let head) = try await store.setFencingToken(old, of: topic, if: .none) else {
            throw UnexpectedOutcome(description: "a topic that exists could not be fenced")
        }
        #expect(head.fencingToken == old && head.end == .first)
        #expect(range(try await outcome(topic, number: 1, token: old, in: store)) == .first..<offset(2))
        _ = try await store.setFencingToken(new, of: topic, if: .none)
        #expect(try await self.head(of: topic, in: store).fencingToken == new)
        #expect(try await outcome(topic, number: 2, token: old, in: store) == .fenced)
        #expect(try await outcome(topic, number: 3, in: store) == .fenced)
        // The token is looked at before the end.
        #expect(try await outcome(topic, number: 4, end: offset(99), token: old, in: store) == .fenced)
        #expect(range(try await outcome(topic, number: 5, token: new, in: store)) == offset(2)..<offset(3))
        _ = try await store.setFencingToken(nil, of: topic, if: .none)
        #expect(try await outcome(topic, number: 6, token: new, in: store) == .fenced)
        #expect(range(try await outcome(topic, number: 7, in: store)) == offset(3)..<offset(4))
        #expect(try await self.head(of: topic, in: store).fencingToken == nil)
    }

    /// Another token than the one named leaves things as they are.
    package func tokenIsSetOnCondition(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let (first, second) = (try token("1"), try token("2"))
        #expect(try await store.setFencingToken(second, of: topic, if: .token(first)) == .fenced)
        _ = try await store.setFencingToken(first, of: topic, if: .none)
        #expect(try await store.setFencingToken(second, of: topic, if: .token(second)) == .fenced)
        guard case .set = try await store.setFencingToken(second, of: topic, if: .token(first)) else {
            throw UnexpectedOutcome(description: "the condition held")
        }
        #expect(try await store.setFencingToken(nil, of: topic, if: .token(first)) == .fenced)
        #expect(try await head(of: topic, in: store).fencingToken == second)
    }

    /// Claims that are not stored yet count, and are not given back any more.
    package func fenceTellsTheEnd(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(2, to: topic, number: 1, in: store)
        let claim = try await claim(3, of: topic, number: 2, in: store)
        guard case .set(let head) = try await store.setFencingToken(token("a"), of: topic, if: .none) else {
            throw UnexpectedOutcome(description: "a topic that exists could not be fenced")
        }
        #expect(head.end == offset(6))
        #expect(!(await store.release(claim)))
        #expect(range(try await outcome(topic, number: 3, token: token("a"), in: store)) == offset(6)..<offset(7))
    }

    /// Nothing comes into being.
    package func missingTopicIsNotFenced(on store: Store) async throws {
        let topic = try TopicName("missing")
        #expect(try await store.setFencingToken(token("a"), of: topic, if: .none) == .noSuchTopic)
        #expect(try await store.setFencingToken(nil, of: topic, if: .token(token("a"))) == .noSuchTopic)
        #expect(try await store.head(of: topic) == nil)
    }

    /// Exactly one of those who come at once.
    package func tokenHasOneSuccessor(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let first = try token("first")
        _ = try await store.setFencingToken(first, of: topic, if: .none)
        let winners = try await withThrowingTaskGroup(of: FencingToken?.self) { group in
            for number in 0..<12 {
                let next = try token("t\(number)")
                group.addTask {
                    let outcome = try await store.setFencingToken(next, of: topic, if: .token(first))
                    if case .set = outcome { return next }
                    return nil
                }
            }
            return try await group.reduce(into: [FencingToken]()) { if let winner = $1 { $0.append(winner) } }
        }
        #expect(winners.count == 1)
        #expect(try await head(of: topic, in: store).fencingToken == winners.first)
    }
}
