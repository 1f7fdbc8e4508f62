import StreamsCore
import StreamsModel
import Testing

extension PortConformance {
    /// What is promised of trim, delete, settings and branches.
    package static var changeChecks: [Check] {
        [
            Check("a trim moves the low mark forward, and never back", PortConformance.trimNeverGoesBack),
            Check("a trim leaves what reaches across its mark, and all above", PortConformance.trimKeepsTheRest),
            Check("a deleted topic has its counter, and nothing else", PortConformance.deletedKeepsItsCounter),
            Check("a deleted topic is made again above its old offsets", PortConformance.deletedIsMadeAgain),
            Check("a deleted topic is made again by a claim, with all that it needs", PortConformance.claimMakesAgain),
            Check("a change of a topic that was made again since changes nothing", PortConformance.lateChangesAreNone),
            Check("what was claimed before a delete lies below its mark", PortConformance.deleteCoversClaims),
            Check("settings are changed from the version that was seen", PortConformance.settingsHaveVersions),
            Check("a branch begins at its fork, and knows its parent", PortConformance.branchBeginsAtFork),
            Check("a branch is created once, and never in the place of a topic", PortConformance.branchIsNew),
            Check("of many changing one topic, each change is made once", PortConformance.changesAreOnce),
        ]
    }

    private func later(_ milliseconds: Int) -> Timestamp { now.advanced(by: .milliseconds(milliseconds)) }

    private func offset(_ number: Int) -> Offset { .first.advanced(by: number - 1) }

    /// Trims forward count, trims back change nothing, and the time of the last move is told.
    package func trimNeverGoesBack(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for number in 1...4 { try await append(3, to: topic, number: number, in: store) }
        let before = try await head(of: topic, in: store)
        #expect(before.trimmedBefore == nil && before.trimmedAt == nil)
        let trimmed = try await store.trim(topic, createdAt: now, before: offset(4), at: later(1))
        #expect(trimmed?.earliest == offset(4) && trimmed?.trimmedBefore == offset(4) && trimmed?.trimmedAt == later(1))
        #expect(try await store.head(of: topic) == trimmed)
        let back = try await store.trim(topic, createdAt: now, before: offset(2), at: later(2))
        #expect(back == trimmed)
        #expect(try await store.trim(topic, createdAt: now, before: offset(4), at: later(3)) == trimmed)
        #expect(try await store.head(of: topic) == trimmed)
        let all = try await store.trim(topic, createdAt: now, before: offset(13), at: later(4))
        #expect(all?.earliest == offset(13) && all?.end == offset(13) && all?.trimmedAt == later(4))
        #expect(try await claim(1, of: topic, number: 9, in: store).range.lowerBound == offset(13))
    }

    /// Segments above the mark, and the one that reaches across it, stay as they are.
    package func trimKeepsTheRest(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var segments: [Segment] = []
        for number in 1...3 { segments.append(try await append(3, to: topic, number: number, in: store)) }
        let other = try await makeTopic("others", in: store)
        let others = try await append(3, to: other, number: 4, in: store)
        _ = try await store.trim(topic, createdAt: now, before: offset(5), at: later(1))
        #expect(try await head(of: topic, in: store).earliest == offset(5))
        expect(try await store.get([segments[1].key])[0], toBe: segments[1])
        expect(try await store.get([segments[2].key])[0], toBe: segments[2])
        expect(try await store.get([others.key])[0], toBe: others)
        #expect(try await lasts(of: topic, from: 5, in: store) == [6, 9])
        #expect(try await head(of: other, in: store).earliest == .first)
    }

    /// Neither lists nor claims know a deleted topic; its head says what became of it.
    package func deletedKeepsItsCounter(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        _ = try await store.change(
            topic, createdAt: now, to: TopicSettings(retentionMilliseconds: 5, retentionBytes: 6, version: 1))
        try await store.delete(topic, createdAt: now, at: later(5))
        let head = try await head(of: topic, in: store)
        #expect(head.isDeleted && head.deletedAt == later(5))
        #expect(head.earliest == offset(4) && head.end == offset(4))
        #expect(head.trimmedBefore == offset(4) && head.trimmedAt == later(5))
        #expect(!head.settings.isBounded && head.branch == nil)
        #expect(try await store.topics(prefix: "", after: "", limit: 10) == [])
        let request = ClaimRequest(topic: topic, count: 1, id: appendID(2), at: later(6))
        #expect(try await store.claim(request) == .noSuchTopic)
        // Again it changes nothing.
        try await store.delete(topic, createdAt: now, at: later(7))
        #expect(try await store.head(of: topic) == head)
        #expect(try await store.trim(topic, createdAt: now, before: offset(4), at: later(8)) == nil)
        #expect(try await store.change(topic, createdAt: now, to: TopicSettings(version: 2)) == false)
        let absent = try TopicName("absent")
        try await store.delete(absent, createdAt: now, at: later(1))
        #expect(try await store.head(of: absent) == nil)
        #expect(try await store.trim(absent, createdAt: now, before: .first, at: later(1)) == nil)
        #expect(try await store.change(absent, createdAt: now, to: TopicSettings(version: 1)) == false)
    }

    /// Created again it stands, empty, above all that was, and was created later than the old one was deleted.
    package func deletedIsMadeAgain(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        try await store.delete(topic, createdAt: now, at: later(5))
        // By a clock that is behind.
        #expect(try await store.create(topic, at: now))
        let head = try await head(of: topic, in: store)
        #expect(!head.isDeleted && head.createdAt == later(6))
        #expect(head.earliest == offset(4) && head.end == offset(4))
        #expect(try await store.create(topic, at: later(9)) == false)
        #expect(try await store.topics(prefix: "", after: "", limit: 10) == [topic])
        let segment = try await append(2, to: topic, number: 2, in: store)
        #expect(segment.range == offset(4)..<offset(6))
        #expect(try await lasts(of: topic, from: 4, in: store) == [5])
        #expect(try await self.head(of: topic, in: store).earliest == offset(4))
    }

    /// The first claim makes the topic again; of several at once each has offsets of its own.
    package func claimMakesAgain(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        try await store.delete(topic, createdAt: now, at: later(5))
        let request = ClaimRequest(topic: topic, count: 2, id: appendID(2), at: later(6))
        guard case .claimed(let claim) = try await store.claimCreating(request) else {
            throw UnexpectedOutcome(description: "a claim did not make \(topic) again")
        }
        #expect(claim.range == offset(4)..<offset(6))
        try await self.store(segment(for: claim, number: 2), in: store)
        let head = try await head(of: topic, in: store)
        #expect(!head.isDeleted && head.createdAt == later(6) && head.earliest == offset(4) && head.end == offset(6))
        #expect(try await store.topics(prefix: "", after: "", limit: 10) == [topic])
        let next = ClaimRequest(topic: topic, count: 1, id: appendID(3), at: later(7))
        guard case .claimed(let after) = try await store.claimCreating(next) else {
            throw UnexpectedOutcome(description: "a claim did not find \(topic)")
        }
        #expect(after.range.lowerBound == offset(6))
    }

    /// Changes that were meant for the topic before leave the one that was made since alone.
    package func lateChangesAreNone(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        try await store.delete(topic, createdAt: now, at: later(5))
        #expect(try await store.create(topic, at: later(10)))
        try await append(3, to: topic, number: 2, in: store)
        let head = try await head(of: topic, in: store)
        try await store.delete(topic, createdAt: now, at: later(5))
        #expect(try await store.trim(topic, createdAt: now, before: offset(6), at: later(11)) == nil)
        #expect(
            try await store.change(topic, createdAt: now, to: TopicSettings(retentionBytes: 1, version: 1)) == false)
        #expect(try await store.head(of: topic) == head)
    }

    /// A write that is under way when its topic is deleted lands below the mark.
    package func deleteCoversClaims(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        try await append(3, to: topic, number: 1, in: store)
        let claim = try await claim(2, of: topic, number: 2, in: store)
        try await store.delete(topic, createdAt: now, at: later(5))
        #expect(try await head(of: topic, in: store).earliest == offset(6))
        try await self.store(segment(for: claim, number: 2), in: store)
        #expect(await store.release(claim) == false)
        #expect(try await store.create(topic, at: later(6)))
        let head = try await head(of: topic, in: store)
        #expect(head.earliest == offset(6) && head.end == offset(6))
        let next = try await self.claim(1, of: topic, number: 3, in: store)
        #expect(next.range.lowerBound == offset(6))
    }

    /// A change of settings that others changed meanwhile is refused; one that was made already is not.
    package func settingsHaveVersions(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        #expect(try await head(of: topic, in: store).settings == TopicSettings())
        let first = TopicSettings(retentionMilliseconds: 1000, version: 1)
        #expect(try await store.change(topic, createdAt: now, to: first))
        #expect(try await head(of: topic, in: store).settings == first)
        #expect(try await store.change(topic, createdAt: now, to: first))
        #expect(try await store.change(topic, createdAt: now, to: TopicSettings(version: 1)) == false)
        let second = TopicSettings(
            retentionMilliseconds: TopicSettings.maximum, retentionBytes: TopicSettings.maximum, version: 2)
        #expect(try await store.change(topic, createdAt: now, to: second))
        #expect(try await store.change(topic, createdAt: now, to: first) == false)
        #expect(try await head(of: topic, in: store).settings == second)
        let third = TopicSettings(retentionBytes: 7, version: 3)
        #expect(try await store.change(topic, createdAt: now, to: third))
        #expect(try await head(of: topic, in: store).settings == third)
        #expect(try await store.change(topic, createdAt: now, to: TopicSettings(version: 4)))
        #expect(try await head(of: topic, in: store).settings == TopicSettings(version: 4))
        // Appends leave them alone.
        try await append(1, to: topic, number: 1, in: store)
        #expect(try await head(of: topic, in: store).settings == TopicSettings(version: 4))
    }

    /// The branch is a topic of its own, whose first offset is the fork.
    package func branchBeginsAtFork(on store: Store) async throws {
        let parent = try await makeTopic(in: store)
        try await append(5, to: parent, number: 1, in: store)
        let branch = try TopicName("branch")
        let point = BranchPoint(
            parent: parent, fork: offset(4), parentEnd: offset(6), parentClaimStart: .first)
        #expect(try await store.createBranch(branch, at: point, now: later(1)))
        let head = try await head(of: branch, in: store)
        #expect(head.branch == point && head.end == offset(4) && head.earliest == .first)
        #expect(head.createdAt == later(1) && head.lastClaimStart == nil)
        #expect(try await store.topics(prefix: "", after: "", limit: 10) == [branch, parent])
        let segment = try await append(2, to: branch, number: 2, in: store)
        #expect(segment.range == offset(4)..<offset(6))
        #expect(segment.previousClaim == nil)
        let grown = try await self.head(of: branch, in: store)
        #expect(grown.branch == point && grown.end == offset(6) && grown.earliest == .first)
        #expect(try await lasts(of: parent, in: store) == [5])
        #expect(try await lasts(of: branch, in: store) == [5])
        let bare = BranchPoint(parent: branch, fork: .first, parentEnd: offset(6), parentClaimStart: nil)
        let other = try TopicName("other")
        #expect(try await store.createBranch(other, at: bare, now: later(2)))
        #expect(try await self.head(of: other, in: store).branch == bare)
        #expect(try await self.head(of: other, in: store).end == .first)
        try await store.delete(branch, createdAt: later(1), at: later(3))
        #expect(try await self.head(of: branch, in: store).branch == nil)
    }

    /// Neither a topic, nor a deleted one, nor another branch is replaced; a retry finds its own.
    package func branchIsNew(on store: Store) async throws {
        let parent = try await makeTopic(in: store)
        try await append(5, to: parent, number: 1, in: store)
        let deleted = try await makeTopic("deleted", in: store)
        try await store.delete(deleted, createdAt: now, at: later(1))
        let point = BranchPoint(parent: parent, fork: offset(4), parentEnd: offset(6), parentClaimStart: nil)
        #expect(try await store.createBranch(parent, at: point, now: later(2)) == false)
        #expect(try await store.createBranch(deleted, at: point, now: later(2)) == false)
        #expect(try await head(of: deleted, in: store).isDeleted)
        let branch = try TopicName("branch")
        #expect(try await store.createBranch(branch, at: point, now: later(2)))
        #expect(try await store.createBranch(branch, at: point, now: later(2)))
        #expect(try await store.createBranch(branch, at: point, now: later(3)) == false)
        let other = BranchPoint(parent: parent, fork: offset(2), parentEnd: offset(6), parentClaimStart: nil)
        #expect(try await store.createBranch(branch, at: other, now: later(2)) == false)
        #expect(try await head(of: branch, in: store).branch == point)
    }

    /// Trims, claims, deletes and creations at the same time leave a topic whose offsets are all of one use.
    package func changesAreOnce(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for number in 1...8 { try await append(1, to: topic, number: number, in: store) }
        let ranges = try await withThrowingTaskGroup(of: Range<Offset>?.self) { group in
            for number in 1...8 {
                group.addTask {
                    _ = try await store.trim(topic, createdAt: now, before: offset(number), at: later(number))
                    return nil
                }
                group.addTask {
                    let request = ClaimRequest(topic: topic, count: 2, id: appendID(100 + number), at: now)
                    while true {
                        // Deleted at the very moment: made again by the next try.
                        if case .claimed(let claim) = try await store.claimCreating(request) { return claim.range }
                    }
                }
            }
            group.addTask {
                try await store.delete(topic, createdAt: now, at: later(50))
                return nil
            }
            return try await group.reduce(into: []) { ranges, range in range.map { ranges.append($0) } }
        }
        let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
        #expect(sorted.count == 8 && sorted[0].lowerBound == offset(9))
        for (left, right) in zip(sorted, sorted.dropFirst()) { #expect(left.upperBound <= right.lowerBound) }
        // One more makes it stand, whichever came last.
        _ = try await store.create(topic, at: later(60))
        let head = try await head(of: topic, in: store)
        #expect(!head.isDeleted && head.createdAt > now && head.earliest >= offset(9))
    }
}
