import GRDB
import Logging
import StreamsCore
import StreamsModel
import Synchronization

/// What is kept, and how the rest goes: in steps so small that no append waits long for one.
extension SQLiteStore {
    /// About how many bytes of trimmed segments one step deletes.
    private static let cleaningStepBytes = 4 << 20

    /// Trims what is older than the retention of all, and what topics' own settings tell, now and then.
    func keepRetention() async {
        while !Task.isCancelled {
            if let retention = configuration.retention {
                let cutoff = time.now().advanced(by: .zero - retention)
                let hasMore = await withCheckedContinuation { continuation in
                    enqueue(.trimExpired(before: cutoff, continuation))
                }
                if case .success(true) = hasMore { continue }
            }
            await applySettings()
            cleaningRequestsInput.yield()
            try? await time.sleep(for: configuration.retentionInterval)
        }
    }

    /// Trims topics as their own settings tell.
    private func applySettings() async {
        do throws(StoreError) {
            for topic in try await boundedTopics() where !Task.isCancelled {
                guard let head = try await head(of: topic), head.settings.isBounded else { continue }
                let mark = try await retentionMark(of: topic, in: head, at: time.now())
                guard mark > head.earliest, mark > head.branch?.fork ?? .first else { continue }
                _ = try await trim(topic, createdAt: head.createdAt, before: mark, at: time.now())
            }
        } catch {
            guard error.code != .closed else { return }
            logger.error("topics were not trimmed by their settings", metadata: ["error": "\(error.message)"])
        }
    }

    private func boundedTopics() async throws(StoreError) -> [TopicName] {
        try await reading { database in
            let names = try String.fetchAll(
                database,
                sql: """
                    SELECT name FROM topic
                    WHERE deleted_at IS NULL AND (retention IS NOT NULL OR retention_bytes IS NOT NULL)
                    """)
            return names.compactMap { try? TopicName($0) }
        }
    }

    /// Deletes what was trimmed, whenever something was, and gives the space back.
    func clean() async {
        for await _ in cleaningRequests {
            do throws(StoreError) {
                var hasGone = false
                while let topic = try await trimmedTopic() {
                    try await delete(trimmedOf: topic)
                    hasGone = true
                }
                if try await hasFreePages() { hasGone = true }
                guard hasGone else { continue }
                while try await changing({ try $0.giveBackSpace() }) {}
                // The file itself gets smaller when the log is merged into it.
                mergeSoon()
                try await changing { _ in }
            } catch {
                guard error.code != .closed else { return }
                logger.error("what was trimmed was not deleted", metadata: ["error": "\(error.message)"])
            }
        }
    }

    private func delete(trimmedOf topic: Int64) async throws(StoreError) {
        let count = configuration.retentionStep
        while try await changing({
            let hasMore = try $0.deleteTrimmed(topic, atMost: count, bytesMaximum: Self.cleaningStepBytes)
            _ = try $0.giveBackSpace()
            return hasMore
        }) {}
    }

    private func hasFreePages() async throws(StoreError) -> Bool {
        try await reading { try Int.fetchOne($0, sql: "PRAGMA freelist_count") ?? 0 } > 0
    }

    /// The row of a topic that has segments wholly below its low mark.
    private func trimmedTopic() async throws(StoreError) -> Int64? {
        try await reading { database in
            try Int64.fetchOne(
                database,
                sql: """
                    SELECT id FROM topic WHERE EXISTS (
                        SELECT 1 FROM segment WHERE segment.topic = topic.id AND segment.last < topic.trimmed_before)
                    LIMIT 1
                    """)
        }
    }
}
