package import StreamsModel

extension Log {
    /// Sets the token that appends must carry from now on, or lets all append again (`nil`).
    ///
    /// When it returns, no append with another token begins to succeed any more. One that was under way may still
    /// appear, below the end that is returned: who has read up to there has seen the last of them.
    ///
    /// With `current` the token is set only if the topic's present one is that.
    /// - Throws: `topic_not_found`, `fenced`, `unavailable` (nothing has changed), `outcome_unknown`.
    package func fence(
        _ topic: TopicName, token: FencingToken?, current: FencingToken? = nil
    ) async throws(StreamsError) -> TopicInfo {
        // An item that is behind tells an end above which old messages may stand.
        _ = try await info(of: topic)
        let storedEnd = knownStoredEnd(of: topic)
        let condition: FenceCondition = current.map { .token($0) } ?? .none
        // A second try would take the token that the first one set for somebody else's.
        let outcome = try await changing(
            isRepeatable: condition == .none,
            doubt: "The token may or may not have been set. Set it again to be sure."
        ) { () async throws(StoreError) in
            try await table.setFencingToken(token, of: topic, if: condition)
        }
        switch outcome {
        case .noSuchTopic:
            throw .topicNotFound(topic)
        case .fenced:
            counters.refused(.fenced)
            throw .fenced(topic)
        case .set(let head):
            guard !isBehind(head, storedEnd) else { throw .recovering }
            return TopicInfo(topic, head)
        }
    }
}

extension StreamsError {
    /// The fencing token is not the topic's.
    static func fenced(_ topic: TopicName) -> StreamsError {
        StreamsError(
            .fenced,
            "What was sent is not the fencing token of the topic \(topic); nothing was written. Somebody else may have taken "
                + "over."
        )
    }

    /// The topic does not end where an append expected it to.
    static func mismatch(_ topic: TopicName, expected: Offset, end: Offset) -> StreamsError {
        StreamsError(
            .offsetMismatch,
            "The topic \(topic) ends at \(end), not at \(expected); nothing was written. "
                + "Read on from \(min(expected, end)), then decide anew."
        ) { $0.endOffset = end }
    }
}
