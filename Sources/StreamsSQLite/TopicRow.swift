import GRDB
import StreamsCore
import StreamsModel

/// A row of the table `topic`: see ``Schema``.
enum TopicRow {
    /// The row's id and the head that it describes; `nil` where there is no such topic.
    static func fetch(_ topic: TopicName, _ database: Database) throws -> (rowID: Int64, head: TopicHead)? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT id, current_offset, claim_offset, claimed_at, trimmed_before, created_at, deleted_at, trimmed_at,
                    retention, retention_bytes, settings_version, parent, fork_offset, parent_tail, parent_claim,
                    fencing_token
                FROM topic WHERE name = ?
                """)
        guard let row = try Row.fetchOne(statement, arguments: [topic.rawValue]) else { return nil }
        guard let end = Offset(row[1] as Int64 + 1), let earliest = Offset(row[4] as Int64) else {
            throw StoreError(.corrupt, effect: .none, "The row of \(topic) holds impossible offsets.")
        }
        var head = TopicHead(
            earliest: earliest, end: end, lastClaimStart: (row[2] as Int64?).flatMap { Offset($0) },
            lastClaimedAt: Timestamp(milliseconds: row[3]), createdAt: Timestamp(milliseconds: row[5]),
            fencingToken: (row[15] as String?).flatMap { try? FencingToken($0) })
        head.deletedAt = (row[6] as Int64?).map { Timestamp(milliseconds: $0) }
        head.trimmedAt = (row[7] as Int64?).map { Timestamp(milliseconds: $0) }
        head.trimmedBefore = head.trimmedAt == nil ? nil : earliest
        head.settings = TopicSettings(retentionMilliseconds: row[8], retentionBytes: row[9], version: row[10])
        head.branch = try branch(of: topic, row)
        return (row[0], head)
    }

    private static func branch(of topic: TopicName, _ row: Row) throws -> BranchPoint? {
        guard let name = row[11] as String? else { return nil }
        guard let parent = try? TopicName(name), let fork = (row[12] as Int64?).flatMap({ Offset($0) }),
            let parentEnd = (row[13] as Int64?).flatMap({ Offset($0 + 1) }), fork <= parentEnd
        else {
            throw StoreError(.corrupt, effect: .none, "The row of \(topic) tells an impossible branch.")
        }
        return BranchPoint(
            parent: parent, fork: fork, parentEnd: parentEnd,
            parentClaimStart: (row[14] as Int64?).flatMap { Offset($0) })
    }
}
