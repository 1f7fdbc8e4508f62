import Logging
package import StreamsModel

/// What of a topic's settings a request changes.
package struct TopicSettingsChange: Sendable {
    /// A new value, or `nil` for none; absent where it is not to change.
    package var retentionMilliseconds: Int64??
    /// A new value, or `nil` for none; absent where it is not to change.
    package var retentionBytes: Int64??

    /// A change of nothing.
    package init() {}

    /// Whether anything is to change.
    package var isEmpty: Bool { retentionMilliseconds == nil && retentionBytes == nil }

    func applied(to settings: TopicSettings) -> TopicSettings {
        TopicSettings(
            retentionMilliseconds: retentionMilliseconds ?? settings.retentionMilliseconds,
            retentionBytes: retentionBytes ?? settings.retentionBytes, version: settings.version + 1)
    }
}

/// Trim, delete, settings.
extension Log {
    /// How often a change is tried again that others' changes came before.
    private static let changeTries = 16

    /// Makes everything below `offset` unreadable; never goes back.
    ///
    /// Returns the earliest offset then. When it returns, every read that begins afterwards is refused below.
    /// - Throws: `topic_not_found`, `invalid_parameter` for an offset beyond the end, `unavailable`, `outcome_unknown`.
    package func trim(_ topic: TopicName, before offset: Offset) async throws(StreamsError) -> Offset {
        let storedEnd = knownStoredEnd(of: topic)
        for _ in 0..<Self.changeTries {
            let head = try await standingHead(of: topic)
            guard offset <= head.end else {
                if isBehind(head, storedEnd) { throw .recovering }
                throw StreamsError(
                    .invalidParameter, "'before' is at most the end of \(topic), which is \(head.end)."
                ) {
                    $0.parameter = "before"
                    $0.endOffset = head.end
                }
            }
            let earliest = try await views(of: topic, head, reaching: .earliest).head.earliest
            guard offset > earliest else { return earliest }
            let trimmed = try await changing { () async throws(StoreError) in
                try await self.table.trim(topic, createdAt: head.createdAt, before: offset, at: self.time.now())
            }
            if let trimmed { return max(trimmed.earliest, earliest) }
        }
        throw .contended
    }

    /// Deletes a topic with all its messages; its offsets are never used again.
    ///
    /// - Throws: `topic_not_found`, `unavailable`, `outcome_unknown`.
    package func delete(_ topic: TopicName) async throws(StreamsError) {
        let storedEnd = knownStoredEnd(of: topic)
        let head = try await standingHead(of: topic)
        // A counter that went back would leave what is stored above it to the topic's next life.
        guard !isBehind(head, storedEnd) else { throw .recovering }
        if table.mayGoBack {
            _ = try await reading { () async throws(StoreError) in
                try await self.expectNoMessages(of: topic, from: head.end)
            }
        }
        // Clocks may differ: what follows must lie after what was.
        let now = max(time.now(), head.createdAt.advanced(by: .milliseconds(1)))
        try await changing { () async throws(StoreError) in
            try await self.table.delete(topic, createdAt: head.createdAt, at: now)
        }
        logger.notice("a topic was deleted", metadata: ["topic": "\(topic)", "end": "\(head.end)"])
        do {
            try await removeGroups(of: topic, createdAt: head.createdAt)
        } catch {
            // They are of no use to anybody, and do no harm.
            logger.warning("groups of a deleted topic are left", metadata: ["topic": "\(topic)", "error": "\(error)"])
        }
    }

    /// Changes what is kept of a topic.
    ///
    /// - Throws: `topic_not_found`, `unavailable`, `outcome_unknown`.
    package func change(_ topic: TopicName, _ change: TopicSettingsChange) async throws(StreamsError) {
        for _ in 0..<Self.changeTries {
            let head = try await standingHead(of: topic)
            let settings = change.applied(to: head.settings)
            let wanted = (settings.retentionMilliseconds, settings.retentionBytes)
            if wanted == (head.settings.retentionMilliseconds, head.settings.retentionBytes) { return }
            let stands = try await changing { () async throws(StoreError) in
                try await self.table.change(topic, createdAt: head.createdAt, to: settings)
            }
            if stands { return }
        }
        throw .contended
    }

    /// The head of a topic that exists.
    func standingHead(of topic: TopicName) async throws(StreamsError) -> TopicHead {
        guard let head = try await confirmedHead(of: topic), !head.isDeleted else { throw .topicNotFound(topic) }
        return head
    }

    /// Calls the table for a change, again while that may help: most changes do no harm when they arrive twice.
    ///
    /// One that would is not sent again once it may have arrived (`isRepeatable`).
    /// - Throws: `unavailable` where nothing was changed, `outcome_unknown`, in the words of `doubt`, where nobody knows.
    func changing<Value: Sendable>(
        isRepeatable: Bool = true,
        doubt: String = "The change may or may not have been made. Look at the topic, or send it again.",
        _ call: () async throws(StoreError) -> Value
    ) async throws(StreamsError) -> Value {
        let deadline = Deadline.atMost(time.uptime() + configuration.appendTimeout)
        var backoff = Backoff(configuration)
        var isUnknown = false
        while true {
            do throws(StoreError) {
                return try await Deadline.with(deadline, call)
            } catch {
                if error.effect == .unknown { isUnknown = true }
                let isWorthAnotherTry =
                    error.code == .unavailable && error.isWorthRetrying && (isRepeatable || !isUnknown)
                if isWorthAnotherTry, await backoff.pause(time, until: deadline) { continue }
                logger.error(
                    "a change of a topic failed", metadata: ["error": "\(error.message)", "unknown": "\(isUnknown)"])
                guard isUnknown else {
                    throw StreamsError(.unavailable, error.publicDetail + " Nothing was changed.") {
                        $0.retryAfter = error.retryAfter ?? .seconds(1)
                    }
                }
                throw StreamsError(.outcomeUnknown, doubt) { $0.retryAfter = .seconds(1) }
            }
        }
    }
}

extension StreamsError {
    /// Others change the topic again and again.
    static let contended = StreamsError(
        .unavailable, "Others change the topic at the same time; nothing was changed. Try again."
    ) { $0.retryAfter = .seconds(1) }
}
