package import StreamsModel

/// What a group is like, with how far behind it is.
package struct GroupStatus: Sendable, Equatable {
    /// The group.
    package var group: Group
    /// The log end offset of its topic.
    package var end: Offset
    /// The age of the oldest message that is not committed; zero where there is none.
    package var lagTime: Duration

    /// How many offsets are not committed.
    package var lag: Int { max(0, group.committed.distance(to: end)) }
}

/// Consumer groups: each operation is a decision of ``Group`` and one conditional write.
extension Log {
    /// How often a change is tried that others come before.
    static let groupTryMaximum = 16

    /// Hands messages to a consumer, which holds the group's lease when it returns.
    ///
    /// - Throws: `topic_not_found`, `lease_held`, `lease_lost`, `offset_trimmed`, `unavailable`, `outcome_unknown`.
    package func receive(_ request: ReceiveRequest) async throws(StreamsError) -> Received {
        try await GroupReceiver(log: self, request: request).receive()
    }

    /// Commits: everything below the offset is done.
    ///
    /// Renews the lease. The same commit again, after an answer that was lost, succeeds.
    /// - Throws: `lease_lost`, `invalid_parameter`, `topic_not_found`, `group_not_found`, `unavailable`,
    ///   `outcome_unknown`.
    package func acknowledge(
        _ key: GroupKey, below offset: Offset, by consumer: String, in generation: Generation
    ) async throws(StreamsError) -> Group {
        var request = CommitRequest(
            key: key, consumer: consumer, generation: generation, offset: offset, at: time.now(),
            version: makeAppendID())
        var outcome = try await commit(request)
        if outcome == nil {
            // The clock was wrong, and is right now.
            request.at = time.now()
            outcome = try await commit(request)
        }
        switch outcome {
        case .committed(let group):
            groupCounters.acknowledged()
            return group
        case .refused(let standing):
            guard let standing, !standing.isRemoved else { throw try await missing(key) }
            do throws(GroupRefusal) {
                _ = try standing.committing(request)
            } catch {
                throw refusal(error, of: key)
            }
            // Its own work of an earlier try.
            guard standing.committed == offset else { throw .contendedGroup }
            groupCounters.acknowledged()
            return standing
        case nil: throw .contendedGroup
        }
    }

    /// Commits; `nil` where the time of the request is wrong, and nothing was written.
    private func commit(_ request: CommitRequest) async throws(StreamsError) -> CommitOutcome? {
        try await changingGroup { () async throws(StoreError) in
            do throws(StoreError) {
                return try await self.table.commit(request)
            } catch {
                guard error.code == .signedTooLongAgo, error.effect == .none else { throw error }
                return nil
            }
        }
    }

    /// Gives a lease up.
    ///
    /// - Throws: as ``acknowledge(_:below:by:in:)`` does.
    package func release(
        _ key: GroupKey, by consumer: String, in generation: Generation
    ) async throws(StreamsError) -> Group {
        try await change(key) { (group, _) throws(StreamsError) in
            do throws(GroupRefusal) {
                return try group.releasing(by: consumer, in: generation, version: self.makeAppendID())
            } catch {
                throw self.refusal(error, of: key)
            }
        }
    }

    /// Sets a group to a place; whoever holds it does so no longer.
    ///
    /// - Throws: `offset_trimmed`, `offset_beyond_end`, `topic_not_found`, `group_not_found`, `unavailable`,
    ///   `outcome_unknown`.
    package func seek(_ key: GroupKey, to start: GroupStart) async throws(StreamsError) -> Group {
        try await change(key) { (group, info) throws(StreamsError) in
            group.seeking(to: try Self.offset(of: start, in: info), version: self.makeAppendID())
        }
    }

    /// Deletes a group.
    ///
    /// - Throws: `topic_not_found`, `group_not_found`, `unavailable`, `outcome_unknown`.
    package func removeGroup(_ key: GroupKey) async throws(StreamsError) {
        _ = try await change(key) { (group, _) in group.removing(version: self.makeAppendID()) }
    }

    /// Creates a group unless it stands; returns it, and whether it is new.
    ///
    /// - Throws: `offset_trimmed`, `offset_beyond_end`, `topic_not_found`, `unavailable`, `outcome_unknown`.
    package func createGroup(
        _ key: GroupKey, at start: GroupStart
    ) async throws(StreamsError) -> (group: Group, isNew: Bool) {
        for _ in 0..<Self.groupTryMaximum {
            let info = try await info(of: key.topic)
            let standing = try await standing(key)
            if let standing, standing.isOf(info) { return (standing, false) }
            let new = newGroup(key, at: try Self.offset(of: start, in: info), in: info, after: standing)
            if try await store(new, replacing: standing?.version, at: time.now()) { return (new, true) }
        }
        throw .contendedGroup
    }

    /// Deletes what a deleted topic leaves behind; without effect on what is read, since a topic made again has other
    /// groups.
    ///
    /// `createdAt` is when the topic was created that is gone: groups of the one that came after it stay.
    /// - Throws: `unavailable`, `outcome_unknown`: then some may be left.
    package func removeGroups(of topic: TopicName, createdAt: Timestamp) async throws(StreamsError) {
        var after = ""
        while true {
            let page = after
            let groups = try await reading { () async throws(StoreError) in
                try await self.table.groups(of: topic, after: page, limit: 100)
            }
            for group in groups { try await remove(group, ofTopicsUpTo: createdAt) }
            guard let last = groups.last else { return }
            after = last.key.name.rawValue
        }
    }

    /// Removes a group of a topic that is gone, whoever still commits to it.
    private func remove(_ group: Group, ofTopicsUpTo createdAt: Timestamp) async throws(StreamsError) {
        var standing: Group? = group
        for _ in 0..<Self.groupTryMaximum {
            guard let group = standing, !group.isRemoved, group.topicCreatedAt <= createdAt else { return }
            let removed = group.removing(version: makeAppendID())
            if try await store(removed, replacing: group.version, at: time.now()) { return }
            standing = try await self.standing(group.key)
        }
    }

    // MARK: Steps

    /// Changes a group that stands, until nobody comes between; a change that answers `nil` leaves it as it is.
    private func change(
        _ key: GroupKey, _ change: (Group, TopicInfo) throws(StreamsError) -> Group?
    ) async throws(StreamsError) -> Group {
        for _ in 0..<Self.groupTryMaximum {
            let info = try await info(of: key.topic)
            guard let standing = try await standing(key), standing.isOf(info) else { throw .groupNotFound(key) }
            guard let new = try change(standing, info) else { return standing }
            if try await store(new, replacing: standing.version, at: time.now()) { return new }
        }
        throw .contendedGroup
    }

    /// The group to begin a receive with, and the version that a write replaces: a new one where none stands.
    func groupOrNew(
        _ key: GroupKey, replacesStale: Bool
    ) async throws(StreamsError) -> (group: Group, seen: AppendID?) {
        let standing = try await standing(key)
        if let standing, !standing.isRemoved, !replacesStale { return (standing, standing.version) }
        let info = try await info(of: key.topic)
        if let standing, standing.isOf(info) { return (standing, standing.version) }
        return (newGroup(key, at: info.earliest, in: info, after: standing), standing?.version)
    }

    /// The group as it stands, unless it was deleted.
    func standingGroup(_ key: GroupKey) async throws(StreamsError) -> Group? {
        guard let standing = try await standing(key), !standing.isRemoved else { return nil }
        return standing
    }

    private func standing(_ key: GroupKey) async throws(StreamsError) -> Group? {
        try await reading { () async throws(StoreError) in try await self.table.group(key) }
    }

    /// A group that was not there.
    ///
    /// It counts on from the generations of one that was deleted: an ack that arrives late must not find its own again.
    private func newGroup(_ key: GroupKey, at start: Offset, in info: TopicInfo, after gone: Group?) -> Group {
        Group(
            key: key, topicCreatedAt: info.createdAt, committed: start, delivered: start,
            generation: gone?.generation ?? .none, lease: nil, createdAt: time.now(), version: makeAppendID())
    }

    /// Writes a state made at `now`; returns whether it did: the one that it was made from stood, and the time was right.
    func store(_ group: Group, replacing seen: AppendID?, at now: Timestamp) async throws(StreamsError) -> Bool {
        try await changingGroup { () async throws(StoreError) in
            do throws(StoreError) {
                return try await self.table.store(group, replacing: seen, at: now)
            } catch {
                guard error.code == .signedTooLongAgo, error.effect == .none else { throw error }
                return false
            }
        }
    }

    private static func offset(of start: GroupStart, in info: TopicInfo) throws(StreamsError) -> Offset {
        switch start {
        case .earliest: return info.earliest
        case .latest: return info.end
        case .offset(let offset) where offset > info.end:
            throw StreamsError(
                .offsetBeyondEnd, "Offset \(offset) lies past the end of \(info.topic), which is \(info.end)."
            ) { $0.endOffset = info.end }
        case .offset(let offset) where offset < info.earliest:
            throw StreamsError(
                .offsetTrimmed, "Messages below offset \(info.earliest) of \(info.topic) are no longer kept."
            ) {
                $0.earliestOffset = info.earliest
                $0.endOffset = info.end
            }
        case .offset(let offset): return offset
        }
    }
}

extension Group {
    /// Whether it stands, and belongs to the topic as it is.
    func isOf(_ info: TopicInfo) -> Bool { !isRemoved && topicCreatedAt == info.createdAt }
}
