import GRDB
package import StreamsCore
package import StreamsModel
import Synchronization

/// What users change of a topic: each change in the writer's next transaction.
extension SQLiteStore {
    /// Moves the low mark in the row; the segments below are deleted in steps of their own.
    package func trim(
        _ topic: TopicName, createdAt: Timestamp, before offset: Offset, at now: Timestamp
    ) async throws(StoreError) -> TopicHead? {
        try await load(topic)
        let isMoved = try await changing(
            { transaction in
                try transaction.database.cachedStatement(
                    sql: """
                        UPDATE topic SET trimmed_before = ?, trimmed_at = ?
                        WHERE name = ? AND created_at = ? AND deleted_at IS NULL AND trimmed_before < ?
                        """
                ).execute(arguments: [
                    offset.rawValue, now.milliseconds, topic.rawValue, createdAt.milliseconds, offset.rawValue,
                ])
                return transaction.database.changesCount == 1
            }, noteAfter: { isMoved, states in if isMoved { states.trimmed(topic, to: offset, at: now) } })
        if isMoved { cleaningRequestsInput.yield() }
        guard let head = try await head(of: topic), head.createdAt == createdAt, !head.isDeleted else { return nil }
        return head
    }

    /// Closes the topic for claims, then marks its row; the segments are deleted in steps of their own.
    ///
    /// A claim that was taken before lies below the mark: what is written for it was appended, and then deleted.
    package func delete(_ topic: TopicName, createdAt: Timestamp, at now: Timestamp) async throws(StoreError) {
        try await load(topic)
        do {
            _ = try await changing(
                { transaction -> Offset? in
                    guard let end = self.states.withLock({ $0.close(topic, createdAt: createdAt) }) else { return nil }
                    try transaction.delete(topic, end: end, at: now)
                    return end
                }, noteAfter: { end, states in if let end { states.deleted(topic, end: end, at: now) } })
        } catch {
            states.withLock { $0.reopen(topic, createdAt: createdAt) }
            throw error
        }
        cleaningRequestsInput.yield()
    }

    /// Changes the settings in the row, where they are of the version before.
    package func change(
        _ topic: TopicName, createdAt: Timestamp, to settings: TopicSettings
    ) async throws(StoreError) -> Bool {
        try await load(topic)
        let isChanged = try await changing(
            { transaction in
                try transaction.database.cachedStatement(
                    sql: """
                        UPDATE topic SET retention = ?, retention_bytes = ?, settings_version = ?
                        WHERE name = ? AND created_at = ? AND deleted_at IS NULL AND settings_version = ? - 1
                        """
                ).execute(arguments: [
                    settings.retentionMilliseconds, settings.retentionBytes, settings.version, topic.rawValue,
                    createdAt.milliseconds, settings.version,
                ])
                return transaction.database.changesCount == 1
            }, noteAfter: { isChanged, states in if isChanged { states.changed(topic, to: settings) } })
        if isChanged { return true }
        let head = try await head(of: topic)
        return head?.createdAt == createdAt && head?.isDeleted == false && head?.settings == settings
    }

    /// Inserts the row unless there is one.
    package func createBranch(
        _ topic: TopicName, at point: BranchPoint, now: Timestamp
    ) async throws(StoreError) -> Bool {
        let isNew = try await changing { transaction in
            try transaction.database.cachedStatement(
                sql: """
                    INSERT INTO topic (name, current_offset, claimed_at, trimmed_before, created_at, parent, fork_offset,
                        parent_tail, parent_claim)
                    VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING
                    """
            ).execute(arguments: [
                topic.rawValue, point.fork.rawValue - 1, now.milliseconds, now.milliseconds, point.parent.rawValue,
                point.fork.rawValue, point.parentEnd.rawValue - 1, point.parentClaimStart?.rawValue,
            ])
            return transaction.database.changesCount == 1
        }
        if isNew { return true }
        let head = try await head(of: topic)
        return head?.branch == point && head?.createdAt == now
    }
}

extension WriteTransaction {
    fileprivate func delete(_ topic: TopicName, end: Offset, at now: Timestamp) throws {
        try database.cachedStatement(
            sql: """
                UPDATE topic SET deleted_at = ?, trimmed_at = ?, trimmed_before = ?, current_offset = ?,
                    retention = NULL, retention_bytes = NULL, parent = NULL, fork_offset = NULL, parent_tail = NULL,
                    parent_claim = NULL, fencing_token = NULL
                WHERE name = ?
                """
        ).execute(arguments: [
            now.milliseconds, now.milliseconds, end.rawValue, end.rawValue - 1, topic.rawValue,
        ])
    }
}
