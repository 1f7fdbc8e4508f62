import GRDB
import Logging
package import StreamsCore
package import StreamsModel
import Synchronization

extension SQLiteStore {
    package func produceRecord(
        of key: IdempotencyKey, in topic: TopicName
    ) async throws(StoreError) -> ProduceRecord? {
        let pending = states.withLock { $0.produceRecords[.init(topic: topic, key: key)] }
        if let pending { return pending }
        return try await reading { try ProduceRow.fetch(key, in: topic, $0) }
    }

    /// Keeps the record in memory beside its claim, until its segment is stored.
    package func setProduceRecord(
        _ record: ProduceRecord, of key: IdempotencyKey, in topic: TopicName, replacing seen: ProduceRecord?
    ) async throws(StoreError) -> ProduceRecord? {
        let pendingKey = PendingProduceRecords.Key(topic: topic, key: key)
        while true {
            let (pending, settledCount) = states.withLock {
                ($0.produceRecords[pendingKey], $0.produceRecords.settledCount)
            }
            var standing = pending
            if standing == nil { standing = try await reading { try ProduceRow.fetch(key, in: topic, $0) } }
            let found = standing
            let isCurrent = states.withLock { states in
                guard states.produceRecords[pendingKey] == pending, states.produceRecords.settledCount == settledCount
                else { return false }
                if found?.appendID == seen?.appendID { states.produceRecords.set(record, of: pendingKey) }
                return true
            }
            if isCurrent { return found?.appendID == seen?.appendID ? record : found }
        }
    }

    package func deleteProduceRecords(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Bool {
        states.withLock { $0.produceRecords.delete(expiredAt: now) }
        // A transaction that changes nothing would still wait its turn among those that do.
        guard try await reading({ try ProduceRow.hasExpired(at: now, $0) }) else { return false }
        return try await changing { try ProduceRow.delete(expiredAt: now, limit: limit, $0.database) }
    }

    /// Stores the token, then lets claims see it.
    ///
    /// A claim that was taken meanwhile, by the old token, lies below the end that is returned.
    package func setFencingToken(
        _ token: FencingToken?, of topic: TopicName, if condition: FenceCondition
    ) async throws(StoreError) -> FenceOutcome {
        // What is in memory once is never read from the file again, where it might be older than this change.
        try await load(topic)
        let refusal = try await changing(
            { transaction -> FenceOutcome? in
                guard let row = try TopicRow.fetch(topic, transaction.database), !row.head.isDeleted else {
                    return .noSuchTopic
                }
                if case .token(let current) = condition, current != row.head.fencingToken { return .fenced }
                try transaction.database.cachedStatement(sql: "UPDATE topic SET fencing_token = ? WHERE id = ?")
                    .execute(arguments: [token?.rawValue, row.rowID])
                return nil
            },
            noteAfter: { refusal, states in
                if refusal == nil { states.fenced(topic, by: token) }
            })
        if let refusal { return refusal }
        guard let state = states.withLock({ $0[topic] }) else { return .noSuchTopic }
        var head = state.head
        head.end = max(head.end, state.fencedEnd ?? head.end)
        return .set(head)
    }

    /// Deletes the records of expired keys, now and then, in small steps.
    func dropExpiredKeys() async {
        while !Task.isCancelled {
            try? await time.sleep(for: configuration.retentionInterval)
            do throws(StoreError) {
                while try await deleteProduceRecords(expiredAt: time.now(), limit: configuration.retentionStep) {}
            } catch {
                guard error.code != .closed else { return }
                logger.error("expired idempotency keys stay", metadata: ["error": "\(error.message)"])
            }
        }
    }
}
