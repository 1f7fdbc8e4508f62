package import StreamsModel
import Synchronization

/// Both storage ports in memory: the reference adapter, and what the ports mean where their comments leave a doubt.
///
/// It behaves like the cloud: a claim moves the end at once, so a claim without a segment shows as a hole; a claim is
/// never taken back; and the segments know nothing of the table. It has no clock and draws nothing at random: the same
/// calls give the same answers. Nothing survives the process.
package final class InMemoryStore: Sendable {
    /// How many keys a reader should ask for at once; a list gives any number.
    package let keysPerList: Int

    let state = Mutex(State())

    /// All that it holds.
    struct State {
        var topics: [TopicName: InMemoryTopicItem] = [:]
        var segments: [TopicName: InMemorySegments] = [:]
        var groups: [GroupKey: Group] = [:]
        var produceRecords = InMemoryProduceRecords()
    }

    /// Makes an empty store.
    ///
    /// `keysPerList` is 1,000 as on S3; tests choose small pages.
    package init(keysPerList: Int = 1000) {
        precondition(keysPerList >= 1, "a page holds at least one key")
        self.keysPerList = keysPerList
    }

    /// Drops what lies before `offset`, or before the end where `offset` lies past it.
    ///
    /// When it returns, the earliest offset has moved forward to there, never back, and the segments wholly below it
    /// are gone; one that reaches across it stays whole. Without such a topic nothing happens.
    package func trim(_ topic: TopicName, before offset: Offset) {
        state.withLock { state in
            guard let earliest = state.topics[topic]?.trim(before: offset) else { return }
            state.segments[topic]?.removeAll(below: earliest)
        }
    }

    /// The item of a topic as it is, to be put back later by ``setBack(_:to:)``.
    package func backup(of topic: TopicName) -> TopicBackup {
        TopicBackup(item: state.withLock { $0.topics[topic] })
    }

    /// Puts an older item back, or none, while the segments stay: what a restored table does.
    package func setBack(_ topic: TopicName, to backup: TopicBackup) {
        state.withLock { $0.topics[topic] = backup.item }
    }
}

/// A topic's item as it was once.
package struct TopicBackup: Sendable {
    fileprivate let item: InMemoryTopicItem?
}

extension InMemoryStore: Table {
    /// Takes the next offsets; the end moves at once.
    package func claim(_ request: ClaimRequest) async -> ClaimOutcome {
        state.withLock { $0.topics[request.topic]?.claim(request) } ?? .noSuchTopic
    }

    /// Items can be lost, by ``setBack(_:to:)``.
    package var mayGoBack: Bool { true }

    /// Closes a topic for claims.
    package func close(_ topic: TopicName, until: Timestamp) async {
        state.withLock { $0.topics[topic, default: InMemoryTopicItem(createdAt: until)].close(until: until) }
    }

    /// Moves the low mark forward, and drops what lies below.
    package func moveLowMark(of topic: TopicName, to offset: Offset) async { trim(topic, before: offset) }

    /// Opens a topic again above its segments.
    package func reopen(
        _ topic: TopicName, closedUntil: Timestamp, earliest: Offset, end: Offset, at now: Timestamp
    ) async -> Bool {
        state.withLock {
            $0.topics[topic]?.reopen(closedUntil: closedUntil, earliest: earliest, end: end, at: now) ?? false
        }
    }

    /// The state of a topic, with claims that are not stored yet.
    package func head(of topic: TopicName) async -> TopicHead? {
        state.withLock { $0.topics[topic]?.head }
    }

    /// Creates a topic unless it stands.
    package func create(_ topic: TopicName, at now: Timestamp) async -> Bool {
        state.withLock { state in
            guard state.topics[topic] == nil else { return state.topics[topic]?.revive(at: now) ?? false }
            state.topics[topic] = InMemoryTopicItem(createdAt: now)
            return true
        }
    }

    /// The names that begin with `prefix` and come after `after`, in the order of their bytes.
    package func topics(prefix: String, after: String, limit: Int) async -> [TopicName] {
        let names = state.withLock { $0.topics.filter { !$0.value.head.isDeleted }.map(\.key) }
        let matching = names.filter { name in
            name.rawValue.utf8.starts(with: prefix.utf8)
                && after.utf8.lexicographicallyPrecedes(name.rawValue.utf8)
        }
        return Array(matching.sorted().prefix(limit))
    }
}

extension InMemoryStore: SegmentStore {
    /// Stores a segment unless its key is taken.
    ///
    /// `signedAt` is without effect: no write lands late here.
    package func put(_ segment: Segment, signedAt: Timestamp) async -> PutOutcome {
        state.withLock { $0.segments[segment.topic, default: InMemorySegments()].put(segment) }
    }

    /// The segments at these keys, all of one moment.
    package func get(_ keys: [SegmentKey]) async -> [Segment?] {
        state.withLock { state in
            keys.map { state.segments[$0.topic]?.segment(at: $0.last)?.segment }
        }
    }

    /// The keys from the first one at or above `from`, as many as are asked for.
    package func list(_ topic: TopicName, from: Offset, limit: Int) async -> [SegmentListing] {
        state.withLock { $0.segments[topic]?.list(from: from, limit: limit) ?? [] }
    }
}
