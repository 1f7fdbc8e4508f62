package import StreamsModel
import Synchronization

extension InMemoryStore: MergingSegmentStore {
    /// How many keys a delete takes.
    package var deletesPerCall: Int { 1000 }

    /// The segments at these keys with their versions, all of one moment.
    package func getVersions(_ keys: [SegmentKey]) async -> [StoredSegment?] {
        state.withLock { state in
            keys.map { state.segments[$0.topic]?.segment(at: $0.last) }
        }
    }

    /// Puts a segment in the place of another one.
    package func replace(_ version: SegmentVersion, with segment: Segment) async -> Bool {
        state.withLock { $0.segments[segment.topic]?.replace(version, with: segment) } ?? false
    }

    /// Deletes a segment, if it is of this version.
    package func delete(_ key: SegmentKey, _ version: SegmentVersion) async -> Bool {
        state.withLock { $0.segments[key.topic]?.delete(key.last, version) } ?? true
    }

    /// Deletes whatever stands at these keys.
    package func delete(_ keys: [SegmentKey]) async {
        state.withLock { state in
            for key in keys { _ = state.segments[key.topic]?.delete(key.last, nil) }
        }
    }

    /// The topics that have segments, in the order of their bytes, a slash behind each.
    package func storedTopics(after: String, limit: Int) async -> [TopicName] {
        let names = state.withLock { state in state.segments.filter { !$0.value.isEmpty }.map(\.key) }
        func comesBefore(_ left: String, _ right: String) -> Bool {
            "\(left)/".utf8.lexicographicallyPrecedes("\(right)/".utf8)
        }
        let matching = names.filter { after.isEmpty || comesBefore(after, $0.rawValue) }
        return Array(matching.sorted { comesBefore($0.rawValue, $1.rawValue) }.prefix(limit))
    }

    /// What is noted of a topic; what is trimmed is gone at once.
    package func upkeep(of topic: TopicName) async -> TopicUpkeep? {
        state.withLock { state in state.topics[topic].map { TopicUpkeep(noted: $0.noted) } }
    }

    /// Notes how far maintenance has come.
    package func note(_ note: UpkeepNote, of topic: TopicName) async {
        state.withLock { state in
            if let compactedBelow = note.compactedBelow { state.topics[topic]?.noted.compactedBelow = compactedBelow }
            if let trimSeen = note.trimSeen { state.topics[topic]?.noted.trimSeen = trimSeen }
        }
    }
}
