package import StreamsModel

/// What becomes of a topic that is recovered on purpose.
package enum RecoveryStep: Sendable, Equatable {
    /// It takes no appends until this time.
    case closed(TopicName, until: Timestamp)
    /// It is open again and ends there.
    case opened(TopicName, end: Offset)
    /// Somebody else has opened it.
    case foundOpen(TopicName)
}

extension Log {
    /// Does on purpose, after the table was restored from a backup or an item was lost, what the log does by itself where
    /// it meets such a topic: closes the topics, waits until no older write can land, raises the counters, opens them.
    ///
    /// Where it is ended early, topics stay closed, and the next append to each opens it when the time has come. Safe to
    /// run again, beside itself too, and on topics that are sound: these take no appends for a while.
    /// - Throws: `unavailable` where the store does not answer.
    package func recover(
        _ topics: [TopicName], progress: @Sendable (RecoveryStep) -> Void, goesOn: @Sendable () -> Bool = { true }
    ) async throws(StreamsError) {
        var closed: [(topic: TopicName, until: Timestamp)] = []
        for topic in topics {
            guard goesOn() else { throw .interrupted(closed.count) }
            let until = try await reading { () async throws(StoreError) -> Timestamp? in
                if let until = try await self.table.head(of: topic)?.closedUntil { return until }
                try await self.table.close(topic, until: self.time.now().advanced(by: self.configuration.recoveryWait))
                self.counters.closed()
                // Whoever closed it first has set the time.
                return try await self.table.head(of: topic)?.closedUntil
            }
            guard let until else {
                progress(.foundOpen(topic))
                continue
            }
            closed.append((topic, until))
            progress(.closed(topic, until: until))
        }
        for (topic, until) in closed {
            while time.now() < until {
                guard goesOn(), !Task.isCancelled else { throw .interrupted(closed.count) }
                try? await time.sleep(for: min(.seconds(1), time.now().duration(to: until)))
            }
            try await reading { () async throws(StoreError) in
                try await self.recover(topic, closedUntil: until)
            }
            let head = try await head(of: topic)
            progress(head.map { .opened(topic, end: $0.end) } ?? .foundOpen(topic))
        }
    }
}

extension StreamsError {
    /// A recovery was ended before its time.
    static func interrupted(_ count: Int) -> StreamsError {
        StreamsError(
            .unavailable,
            "Interrupted: \(count) topics stay closed, until an append to each finds that its time has come.")
    }
}
