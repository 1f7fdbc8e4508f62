import Logging
import StreamsModel

extension Log {
    /// Calls the table for a change: one that may have been made in spite of its failure is `outcome_unknown`.
    func changingGroup<Value: Sendable>(
        _ call: () async throws(StoreError) -> Value
    ) async throws(StreamsError) -> Value {
        do {
            return try await call()
        } catch {
            logger.error("a group was not changed", metadata: ["error": "\(error.message)"])
            guard error.effect == .unknown else {
                throw StreamsError(.unavailable, error.publicDetail + " Nothing was changed.") {
                    $0.retryAfter = error.retryAfter ?? .seconds(1)
                }
            }
            throw StreamsError(
                .outcomeUnknown, "The group may or may not have been changed. Look at it before you go on."
            ) { $0.retryAfter = .seconds(1) }
        }
    }

    /// What a client is told of a refusal.
    func refusal(_ refusal: GroupRefusal, of key: GroupKey) -> StreamsError {
        switch refusal {
        case .leaseHeld(let until):
            return StreamsError(
                .leaseHeld, "Another consumer holds the lease of \(key.name); try again when it ends."
            ) { $0.expiresAt = until }
        case .leaseLost:
            groupCounters.leaseLost()
            return StreamsError(
                .leaseLost,
                "The lease of \(key.name) is not, or no longer, this consumer's in this generation: nothing moved. "
                    + "Receive again.")
        case .belowCommitted(let committed):
            return .invalidParameter("offset", "Everything below offset \(committed) is committed already.")
        case .notDelivered(let delivered):
            return .invalidParameter(
                "offset", "Only what was handed out can be committed: at most offset \(delivered).")
        }
    }

    /// What is missing where there is no group: the topic, or the group alone.
    func missing(_ key: GroupKey) async throws(StreamsError) -> StreamsError {
        _ = try await info(of: key.topic)
        return .groupNotFound(key)
    }
}

extension StreamsError {
    /// There is no such topic.
    static func topicNotFound(_ topic: TopicName) -> StreamsError {
        StreamsError(.topicNotFound, "There is no topic \(topic); its first message, or PUT, creates it.")
    }

    /// There is no such group.
    static func groupNotFound(_ key: GroupKey) -> StreamsError {
        StreamsError(
            .groupNotFound,
            "There is no group \(key.name) in \(key.topic); its first receive, or PUT, creates it.")
    }

    /// Others changed the group again and again.
    static let contendedGroup = StreamsError(
        .unavailable, "Too many requests change the group at once; nothing was changed."
    ) { $0.retryAfter = .seconds(1) }
}
