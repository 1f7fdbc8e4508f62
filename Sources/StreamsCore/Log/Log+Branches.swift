package import StreamsModel

extension Log {
    /// Creates a topic that reads as `parent` below an offset, and goes its own way from there on; no data is copied.
    ///
    /// The parent is looked at once; what is appended to it afterwards does not show in the branch, except a write under
    /// way whose offsets were given out below the fork.
    /// - Parameters:
    ///   - branch: the name of the new topic, which was never used.
    ///   - parent: the topic that it reads as.
    ///   - offset: the first offset of the branch's own; `nil` for the parent's end.
    /// - Returns: the state of the new topic.
    /// - Throws: `topic_not_found`, `topic_exists`, `invalid_parameter` for an offset beyond the end or too long a line of
    ///   ancestors, `offset_trimmed`, `unavailable`, `outcome_unknown`.
    package func createBranch(
        _ branch: TopicName, of parent: TopicName, at offset: Offset?
    ) async throws(StreamsError) -> TopicInfo {
        let storedEnd = knownStoredEnd(of: parent)
        let head = try await standingHead(of: parent)
        guard !isBehind(head, storedEnd) else { throw .recovering }
        let fork = offset ?? head.end
        guard fork <= head.end else {
            throw StreamsError(.invalidParameter, "'offset' is at most the end of \(parent), which is \(head.end).") {
                $0.parameter = "offset"
                $0.endOffset = head.end
            }
        }
        let views = try await views(of: parent, head, reaching: .earliest)
        guard fork >= views.head.earliest else {
            throw StreamsError(
                .offsetTrimmed,
                "Messages below offset \(views.head.earliest) of \(parent) are no longer kept; branch there or above."
            ) {
                $0.earliestOffset = views.head.earliest
                $0.endOffset = head.end
            }
        }
        guard try await ancestorCount(of: head) < TopicViews.ancestorMaximum else {
            throw .invalidParameter(
                "topic",
                "A topic descends from at most \(TopicViews.ancestorMaximum) others, and \(parent) does already; "
                    + "branch from one of those.")
        }
        let point = BranchPoint(
            parent: parent, fork: fork, parentEnd: head.end, parentClaimStart: head.lastClaimStart)
        try await expectNever(branch)
        let now = time.now()
        let isNew = try await changing { () async throws(StoreError) in
            try await self.table.createBranch(branch, at: point, now: now)
        }
        guard isNew else { throw .exists(branch) }
        var standing = TopicHead(
            earliest: min(views.head.earliest, fork), end: fork, lastClaimStart: nil, lastClaimedAt: now,
            createdAt: now)
        standing.branch = point
        return TopicInfo(branch, standing)
    }

    /// From how many topics a topic descends.
    private func ancestorCount(of head: TopicHead) async throws(StreamsError) -> Int {
        var count = 0
        var point = head.branch
        while let parent = point?.parent, count < TopicViews.ancestorMaximum {
            count += 1
            point = try await self.head(of: parent)?.branch
        }
        return count
    }

    /// Makes sure that there is no topic of a name, and was none: a branch shows its parent's messages at offsets that
    /// must not have meant others.
    private func expectNever(_ topic: TopicName) async throws(StreamsError) {
        let standing = try await reading { () async throws(StoreError) -> TopicHead? in
            if let head = try await self.table.head(of: topic) { return head }
            return try await self.expectNoMessages(of: topic, from: nil)
        }
        if let standing { throw standing.isDeleted ? .wasDeleted(topic) : .exists(topic) }
    }
}

extension StreamsError {
    fileprivate static func exists(_ topic: TopicName) -> StreamsError {
        StreamsError(.topicExists, "There is a topic \(topic) already; choose another name.")
    }

    fileprivate static func wasDeleted(_ topic: TopicName) -> StreamsError {
        StreamsError(
            .topicExists,
            "There was a topic \(topic), and its offsets are never used again; choose another name for a branch.")
    }
}
