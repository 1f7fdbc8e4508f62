package import StreamsCore
package import StreamsModel

/// Consumer groups as rows; a change goes with the segments of the writer's next transaction.
extension SQLiteStore {
    package func group(_ key: GroupKey) async throws(StoreError) -> Group? {
        try await reading { try GroupRow.fetch(key, $0) }
    }

    package func groups(of topic: TopicName, after: String, limit: Int) async throws(StoreError) -> [Group] {
        try await reading { try GroupRow.fetch(topic, after: after, limit: limit, $0) }
    }

    /// No request comes late here: a deleted group is forgotten at once.
    package func store(
        _ group: Group, replacing seen: AppendID?, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        try await changing { transaction in
            let standing = try GroupRow.version(of: group.key, transaction.database)
            if standing == group.version { return true }
            guard standing == seen else { return false }
            if group.isRemoved {
                try GroupRow.delete(group.key, transaction.database)
            } else {
                try GroupRow.put(group, transaction.database)
            }
            return true
        }
    }

    package func commit(_ request: CommitRequest) async throws(StoreError) -> CommitOutcome {
        let outcome: Result<CommitOutcome, StoreError> = try await changing { transaction in
            let standing: Group?
            do {
                standing = try GroupRow.fetch(request.key, transaction.database)
            } catch let error as StoreError {
                // A row that is not readable must not fail the changes of others in this transaction.
                return .failure(error)
            }
            guard let standing else { return .success(.refused(nil)) }
            if standing.version == request.version { return .success(.committed(standing)) }
            guard let group = try? standing.committing(request) else { return .success(.refused(standing)) }
            try GroupRow.put(group, transaction.database)
            return .success(.committed(group))
        }
        return try outcome.get()
    }
}
