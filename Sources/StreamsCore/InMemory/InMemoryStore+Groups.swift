package import StreamsModel
import Synchronization

/// Groups in memory: nothing comes late here, so a deleted one is forgotten at once.
extension InMemoryStore {
    package func group(_ key: GroupKey) async -> Group? { state.withLock { $0.groups[key] } }

    package func groups(of topic: TopicName, after: String, limit: Int) async -> [Group] {
        let found = state.withLock { $0.groups.values.filter { $0.key.topic == topic } }
        let following = found.filter { after.utf8.lexicographicallyPrecedes($0.key.name.rawValue.utf8) }
        return Array(following.sorted { $0.key.name < $1.key.name }.prefix(limit))
    }

    package func store(_ group: Group, replacing seen: AppendID?, at now: Timestamp) async -> Bool {
        state.withLock { state in
            let standing = state.groups[group.key]
            if let standing, standing.version == group.version { return true }
            guard standing?.version == seen else { return false }
            state.groups[group.key] = group.isRemoved ? nil : group
            return true
        }
    }

    package func commit(_ request: CommitRequest) async -> CommitOutcome {
        state.withLock { state in
            guard let standing = state.groups[request.key] else { return .refused(nil) }
            if standing.version == request.version { return .committed(standing) }
            guard let group = try? standing.committing(request) else { return .refused(standing) }
            state.groups[request.key] = group
            return .committed(group)
        }
    }
}
