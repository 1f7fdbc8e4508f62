package import StreamsModel
import Synchronization

/// What there is to know of a topic.
package struct TopicInfo: Sendable, Equatable {
    /// Its name.
    package var topic: TopicName
    /// The first offset that is kept.
    package var earliest: Offset
    /// The log end offset.
    package var end: Offset
    /// When it was created.
    package var createdAt: Timestamp
    /// When the newest messages were appended; when it was created where there are none.
    package var updatedAt: Timestamp
    /// Whether appends need a fencing token.
    package var isFenced: Bool
    /// How much of it is kept.
    package var settings = TopicSettings()
    /// Where it left its parent, where it is a branch.
    package var branch: BranchPoint?

    init(_ topic: TopicName, _ head: TopicHead) {
        self.topic = topic
        earliest = head.earliest
        end = head.end
        createdAt = head.createdAt
        updatedAt = head.lastClaimedAt
        isFenced = head.fencingToken != nil
        settings = head.settings
        branch = head.branch
    }
}

extension Log {
    /// The state of a topic.
    ///
    /// - Throws: `topic_not_found`, `unavailable`.
    package func info(of topic: TopicName) async throws(StreamsError) -> TopicInfo {
        let storedEnd = knownStoredEnd(of: topic)
        let found = try await confirmedHead(of: topic)
        guard !isBehind(found ?? .absent, storedEnd) else { throw .recovering }
        guard let found, !found.isDeleted else { throw .topicNotFound(topic) }
        return TopicInfo(topic, try await views(of: topic, found, reaching: .earliest).head)
    }

    /// Topics in name order.
    ///
    /// - Parameters:
    ///   - prefix: what the names begin with; empty for all.
    ///   - after: the name after which to go on; empty for the beginning.
    ///   - limit: most names, at least 1.
    /// - Returns: the names, and whether there are more.
    /// - Throws: `unavailable`.
    package func topics(
        prefix: String, after: String, limit: Int
    ) async throws(StreamsError) -> (names: [TopicName], hasMore: Bool) {
        let names = try await reading { () async throws(StoreError) in
            try await self.table.topics(prefix: prefix, after: after, limit: limit + 1)
        }
        return (Array(names.prefix(limit)), names.count > limit)
    }

    /// Asks both halves of the store for something small that costs little.
    ///
    /// - Throws: `unavailable` where one of them does not answer within 3 seconds.
    package func checkStore() async throws(StreamsError) {
        try await Deadline.with(Deadline.atMost(time.uptime() + .seconds(3))) { () async throws(StreamsError) in
            try await askStore()
        }
    }

    private func askStore() async throws(StreamsError) {
        _ = try await topics(prefix: "", after: "", limit: 1)
        // Most likely not there: that, too, is an answer.
        guard let topic = try? TopicName("health") else { return }
        let key = SegmentKey(topic: topic, last: .first)
        _ = try await reading { () async throws(StoreError) in try await self.segments.get([key]) }
    }

    /// Creates a topic, empty; returns whether it is new.
    package func create(_ topic: TopicName) async throws(StreamsError) -> Bool {
        let standing = try await head(of: topic)
        if let standing, !standing.isDeleted { return false }
        do {
            let current = try await expectNoMessages(of: topic, from: standing?.end)
            if let current, !current.isDeleted { return false }
            return try await table.create(topic, at: time.now())
        } catch {
            throw unavailable(error)
        }
    }
}
