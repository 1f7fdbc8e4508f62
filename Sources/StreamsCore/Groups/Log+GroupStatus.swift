package import StreamsModel

extension Log {
    /// The time by which leases are judged.
    package var now: Timestamp { time.now() }

    /// A group with how far behind it is.
    ///
    /// - Throws: `topic_not_found`, `group_not_found`, `unavailable`.
    package func groupStatus(_ key: GroupKey) async throws(StreamsError) -> GroupStatus {
        let info = try await info(of: key.topic)
        guard let group = try await standingGroup(key), group.isOf(info) else { throw .groupNotFound(key) }
        return try await status(of: group, in: info)
    }

    /// A group that the caller has at hand, with how far behind it is.
    ///
    /// - Throws: `topic_not_found`, `unavailable`.
    package func status(of group: Group) async throws(StreamsError) -> GroupStatus {
        try await status(of: group, in: try await info(of: group.key.topic))
    }

    /// Groups of a topic in name order, and where to go on if there are more; `after` is the name to go on after.
    ///
    /// - Throws: `topic_not_found`, `unavailable`.
    package func groups(
        of topic: TopicName, after: String, limit: Int
    ) async throws(StreamsError) -> (groups: [GroupStatus], next: GroupName?) {
        let info = try await info(of: topic)
        let found = try await reading { () async throws(StoreError) in
            try await self.table.groups(of: topic, after: after, limit: limit + 1)
        }
        var groups: [GroupStatus] = []
        for group in found.prefix(limit) where group.isOf(info) {
            groups.append(try await status(of: group, in: info))
        }
        return (groups, found.count > limit ? found[limit - 1].key.name : nil)
    }

    private func status(of group: Group, in info: TopicInfo) async throws(StreamsError) -> GroupStatus {
        GroupStatus(group: group, end: info.end, lagTime: try await ageOfOldest(of: group, in: info))
    }

    /// How long ago the oldest message that is not committed was appended: one read of one message.
    private func ageOfOldest(of group: Group, in info: TopicInfo) async throws(StreamsError) -> Duration {
        guard group.committed < info.end else { return .zero }
        let page = try await read(
            ReadRequest(
                topic: group.key.topic, start: .offset(group.committed), limit: 1, bytesMaximum: 1,
                jumpsOverTrimmed: true))
        guard let slice = page.slices.first, let time = MessageLine.timestamp(in: slice.body, line: slice.bytes) else {
            return .zero
        }
        return max(.zero, time.duration(to: self.time.now()))
    }
}
