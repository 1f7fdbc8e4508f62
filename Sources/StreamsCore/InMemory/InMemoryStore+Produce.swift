import DequeModule
package import StreamsModel
import Synchronization

/// The records of idempotency keys.
struct InMemoryProduceRecords {
    /// A key within its topic.
    struct Key: Hashable {
        var topic: TopicName
        var key: IdempotencyKey
    }

    private var records: [Key: ProduceRecord] = [:]
    /// In order of arrival, which is about the order in which they expire.
    private var order: Deque<(key: Key, appendID: AppendID)> = []

    subscript(key: Key) -> ProduceRecord? { records[key] }

    /// Puts a record in the place of the one that was seen; returns the one that stands.
    mutating func set(_ record: ProduceRecord, of key: Key, replacing seen: ProduceRecord?) -> ProduceRecord? {
        let standing = records[key]
        guard standing?.appendID == seen?.appendID else { return standing }
        records[key] = record
        order.append((key, record.appendID))
        return record
    }

    /// Deletes at most `limit` expired records; returns whether there may be more.
    mutating func delete(expiredAt now: Timestamp, limit: Int) -> Bool {
        for _ in 0..<limit {
            guard let oldest = order.first else { return false }
            if let record = records[oldest.key], record.appendID == oldest.appendID {
                guard record.expiresAt <= now else { return false }
                records[oldest.key] = nil
            }
            order.removeFirst()
        }
        return !order.isEmpty
    }
}

extension InMemoryStore {
    package func produceRecord(of key: IdempotencyKey, in topic: TopicName) async -> ProduceRecord? {
        state.withLock { $0.produceRecords[.init(topic: topic, key: key)] }
    }

    /// Puts the record there, and drops a few that have expired by its time, so that they do not gather.
    package func setProduceRecord(
        _ record: ProduceRecord, of key: IdempotencyKey, in topic: TopicName, replacing seen: ProduceRecord?
    ) async -> ProduceRecord? {
        state.withLock { state in
            let standing = state.produceRecords.set(record, of: .init(topic: topic, key: key), replacing: seen)
            _ = state.produceRecords.delete(expiredAt: record.claim.at, limit: 2)
            return standing
        }
    }

    package func deleteProduceRecords(expiredAt now: Timestamp, limit: Int) async -> Bool {
        state.withLock { $0.produceRecords.delete(expiredAt: now, limit: limit) }
    }

    package func setFencingToken(
        _ token: FencingToken?, of topic: TopicName, if condition: FenceCondition
    ) async -> FenceOutcome {
        state.withLock { $0.topics[topic]?.setFencingToken(token, if: condition) } ?? .noSuchTopic
    }
}
