package import StreamsModel
import Synchronization

/// What users change of a topic.
extension InMemoryStore {
    /// Moves the low mark, and drops what lies below: no write lands late here.
    package func trim(
        _ topic: TopicName, createdAt: Timestamp, before offset: Offset, at now: Timestamp
    ) async -> TopicHead? {
        state.withLock { state in
            guard state.topics[topic]?.stands(since: createdAt) ?? false else { return nil }
            state.topics[topic]?.trim(before: offset, at: now)
            guard let head = state.topics[topic]?.head else { return nil }
            state.segments[topic]?.removeAll(below: head.earliest)
            return head
        }
    }

    /// Marks the item, and drops the messages.
    package func delete(_ topic: TopicName, createdAt: Timestamp, at now: Timestamp) async {
        state.withLock { state in
            guard state.topics[topic]?.stands(since: createdAt) ?? false else { return }
            state.topics[topic]?.delete(at: now)
            guard let head = state.topics[topic]?.head else { return }
            state.segments[topic]?.removeAll(below: head.earliest)
        }
    }

    /// Changes the settings of the version before.
    package func change(_ topic: TopicName, createdAt: Timestamp, to settings: TopicSettings) async -> Bool {
        state.withLock { state in
            guard state.topics[topic]?.stands(since: createdAt) ?? false else { return false }
            return state.topics[topic]?.change(to: settings) ?? false
        }
    }

    /// Creates a branch unless a topic of that name stands or stood.
    package func createBranch(_ topic: TopicName, at point: BranchPoint, now: Timestamp) async -> Bool {
        state.withLock { state in
            if let standing = state.topics[topic]?.head {
                return standing.branch == point && standing.createdAt == now
            }
            state.topics[topic] = InMemoryTopicItem(createdAt: now, branch: point)
            return true
        }
    }
}
