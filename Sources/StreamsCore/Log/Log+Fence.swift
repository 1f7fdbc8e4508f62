import Logging
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
        switch try await setToken(token, of: topic, if: current.map { .token($0) } ?? .none) {
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

    private func setToken(
        _ token: FencingToken?, of topic: TopicName, if condition: FenceCondition
    ) async throws(StreamsError) -> FenceOutcome {
        var backoff = Backoff(configuration)
        let deadline = Deadline.atMost(time.uptime() + configuration.appendTimeout)
        var mayHaveChanged = false
        while true {
            do throws(StoreError) {
                return try await Deadline.with(deadline) { () async throws(StoreError) in
                    try await table.setFencingToken(token, of: topic, if: condition)
                }
            } catch {
                if error.effect == .unknown { mayHaveChanged = true }
                // A second try would take the token that the first one set for somebody else's.
                let isRepeatable = !mayHaveChanged || condition == .none
                let isWorthAnotherTry = error.code == .unavailable && error.isWorthRetrying && isRepeatable
                if isWorthAnotherTry, await backoff.pause(time, until: deadline) { continue }
                throw mayHaveChanged ? fenceUnknown(error) : unavailable(error)
            }
        }
    }

    private func fenceUnknown(_ error: StoreError) -> StreamsError {
        logger.error("fence with unknown outcome", metadata: ["error": "\(error.message)"])
        return StreamsError(.outcomeUnknown, "The token may or may not have been set. Set it again to be sure.") {
            $0.retryAfter = .seconds(1)
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
