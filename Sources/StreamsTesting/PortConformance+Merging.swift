package import StreamsCore
import StreamsModel
import Testing

extension PortConformance where Store: MergingSegmentStore {
    /// The checks of a store on which segments can be merged, for `@Test(arguments:)`.
    package static var mergingChecks: [Check] {
        [
            Check("a segment is replaced only in the state in which it was read", { $0.replacesUnderCondition }),
            Check("a segment is deleted only in the state in which it was read", { $0.deletesUnderCondition }),
            Check("what was merged comes back whole, with its parts", { $0.keepsParts }),
            Check("what stands at given keys is deleted, whether there is anything or not", { $0.deletesMany }),
            Check("topics that have segments are listed, each once, page by page", { $0.listsStoredTopics }),
            Check("what maintenance notes of a topic is kept, and makes no topic", { $0.keepsNotes }),
        ]
    }

    private func store(_ count: Int, in topic: TopicName, _ store: Store) async throws -> [Segment] {
        _ = try await store.create(topic, at: now)
        var segments: [Segment] = []
        for number in 1...count { segments.append(try await append(1, to: topic, number: number, in: store)) }
        return segments
    }

    private func merged(_ segments: [Segment]) -> Segment {
        var merged = segments[segments.count - 1]
        merged.kind = .merged
        merged.range = segments[0].range.lowerBound..<merged.range.upperBound
        merged.previousClaim = nil
        merged.parts = segments.map {
            SegmentPart(offsetCount: $0.range.offsetCount, content: .messages(appendIDHigh: $0.appendID.high))
        }
        merged.body = Array(segments.map(\.body).joined())
        return merged
    }

    private func replacesUnderCondition(_ store: Store) async throws {
        let topic = try TopicName("t")
        let segments = try await self.store(3, in: topic, store)
        let found = try await store.getVersions(segments.map(\.key))
        #expect(found.map { $0?.segment } == segments)
        guard let last = found[2] else { return }
        #expect(try await store.replace(last.version, with: merged(Array(segments[1...]))))
        #expect(try await !store.replace(last.version, with: merged(segments)))
        let current = try #require(try await store.getVersions([segments[2].key])[0])
        #expect(current.segment == merged(Array(segments[1...])) && current.version != last.version)
        #expect(try await store.replace(current.version, with: merged(segments)))
        #expect(try await store.get([segments[2].key])[0] == merged(segments))
        // What is gone can not be replaced.
        let first = try #require(found[0])
        #expect(try await store.delete(segments[0].key, first.version))
        #expect(try await !store.replace(first.version, with: segments[0]))
        #expect(try await store.get([segments[0].key])[0] == nil)
    }

    private func deletesUnderCondition(_ store: Store) async throws {
        let topic = try TopicName("t")
        let segments = try await self.store(2, in: topic, store)
        let found = try await store.getVersions(segments.map(\.key))
        let (first, second) = (try #require(found[0]), try #require(found[1]))
        #expect(try await store.replace(second.version, with: merged(segments)))
        #expect(try await !store.delete(segments[1].key, second.version))
        #expect(try await store.get([segments[1].key])[0] == merged(segments))
        #expect(try await store.delete(segments[0].key, first.version))
        #expect(try await store.get([segments[0].key])[0] == nil)
        // A retry finds its work done.
        #expect(try await store.delete(segments[0].key, first.version))
        #expect(try await store.list(topic, from: .first, limit: 10).map(\.key) == [segments[1].key])
    }

    private func keepsParts(_ store: Store) async throws {
        let topic = try TopicName("t")
        _ = try await store.create(topic, at: now)
        // As many parts as there may be, with ids of all bits.
        let claim = try await claim(SegmentPartsCoding.countMaximum + 199, of: topic, number: 1, in: store)
        var merged = segment(for: claim, number: 1)
        merged.kind = .merged
        merged.previousClaim = nil
        merged.parts = (1..<SegmentPartsCoding.countMaximum).map { number in
            let id = UInt64.max / UInt64(number)
            return SegmentPart(offsetCount: 1, content: .messages(appendIDHigh: id))
        }
        merged.parts.append(SegmentPart(offsetCount: 200, content: .filler))
        #expect(try await store.put(merged, signedAt: claim.at) == .stored)
        #expect(try await store.get([merged.key])[0] == merged)
    }

    private func deletesMany(_ store: Store) async throws {
        let topic = try TopicName("t")
        let segments = try await self.store(3, in: topic, store)
        let absent = SegmentKey(topic: topic, last: segments[2].range.upperBound)
        try await store.delete([segments[0].key, segments[2].key, absent])
        #expect(try await store.list(topic, from: .first, limit: 10).map(\.key) == [segments[1].key])
        try await store.delete([segments[0].key])
        try await store.delete([])
    }

    private func listsStoredTopics(_ store: Store) async throws {
        #expect(try await store.storedTopics(after: "", limit: 10) == [])
        // A hyphen sorts before the slash, letters behind it.
        let names = try ["a-b", "a", "ab", "b"].map { try TopicName($0) }
        for name in names { _ = try await self.store(2, in: name, store) }
        _ = try await store.create(try TopicName("empty"), at: now)
        #expect(try await store.storedTopics(after: "", limit: 10) == names)
        var found: [TopicName] = []
        for _ in names {
            let page = try await store.storedTopics(after: found.last?.rawValue ?? "", limit: 1)
            #expect(page.count == 1)
            found += page
        }
        #expect(found == names)
        #expect(try await store.storedTopics(after: "b", limit: 1) == [])
    }

    private func keepsNotes(_ store: Store) async throws {
        let topic = try TopicName("t")
        try await store.note(UpkeepNote(compactedBelow: .first), of: topic)
        #expect(try await store.head(of: topic) == nil)
        _ = try await store.create(topic, at: now)
        #expect(try await store.upkeep(of: topic)?.noted.isEmpty == true)
        let below = Offset.first.advanced(by: 6)
        let seen = UpkeepNote.TrimSeen(before: below, at: now)
        try await store.note(UpkeepNote(compactedBelow: below), of: topic)
        try await store.note(UpkeepNote(trimSeen: seen), of: topic)
        #expect(try await store.upkeep(of: topic)?.noted == UpkeepNote(compactedBelow: below, trimSeen: seen))
    }
}
