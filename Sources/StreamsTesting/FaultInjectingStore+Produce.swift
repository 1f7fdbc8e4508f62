package import StreamsCore
package import StreamsModel

extension FaultInjectingStore {
    package func produceRecord(
        of key: IdempotencyKey, in topic: TopicName
    ) async throws(StoreError) -> ProduceRecord? {
        try await perform(.produceRecord(key)) { () async throws(StoreError) in
            try await store.produceRecord(of: key, in: topic)
        }
    }

    package func setProduceRecord(
        _ record: ProduceRecord, of key: IdempotencyKey, in topic: TopicName, replacing seen: ProduceRecord?
    ) async throws(StoreError) -> ProduceRecord? {
        try await perform(.setProduceRecord(record, replacing: seen)) { () async throws(StoreError) in
            try await store.setProduceRecord(record, of: key, in: topic, replacing: seen)
        }
    }

    package func deleteProduceRecords(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Bool {
        try await perform(.deleteProduceRecords) { () async throws(StoreError) in
            try await store.deleteProduceRecords(expiredAt: now, limit: limit)
        }
    }

    package func setFencingToken(
        _ token: FencingToken?, of topic: TopicName, if condition: FenceCondition
    ) async throws(StoreError) -> FenceOutcome {
        try await perform(.setFencingToken(token)) { () async throws(StoreError) in
            try await store.setFencingToken(token, of: topic, if: condition)
        }
    }
}
