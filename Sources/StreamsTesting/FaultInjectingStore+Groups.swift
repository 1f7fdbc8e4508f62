package import StreamsCore
package import StreamsModel

extension FaultInjectingStore {
    package func group(_ key: GroupKey) async throws(StoreError) -> Group? {
        try await perform(.group(key)) { () async throws(StoreError) in try await store.group(key) }
    }

    package func groups(of topic: TopicName, after: String, limit: Int) async throws(StoreError) -> [Group] {
        try await perform(.groups(topic)) { () async throws(StoreError) in
            try await store.groups(of: topic, after: after, limit: limit)
        }
    }

    package func store(
        _ group: Group, replacing seen: AppendID?, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        try await perform(.storeGroup(group)) { () async throws(StoreError) in
            try await store.store(group, replacing: seen, at: now)
        }
    }

    package func commit(_ request: CommitRequest) async throws(StoreError) -> CommitOutcome {
        try await perform(.commit(request)) { () async throws(StoreError) in try await store.commit(request) }
    }
}
