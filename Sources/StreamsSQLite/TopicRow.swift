import GRDB
import StreamsCore
import StreamsModel

/// A row of the table `topic`: see ``Schema``.
enum TopicRow {
    /// The row's id and the head that it describes; `nil` where there is no such topic.
    static func fetch(_ topic: TopicName, _ database: Database) throws -> (rowID: Int64, head: TopicHead)? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT id, current_offset, claim_offset, claimed_at, trimmed_before, created_at, fencing_token
                FROM topic WHERE name = ?
                """)
        guard let row = try Row.fetchOne(statement, arguments: [topic.rawValue]) else { return nil }
        guard let end = Offset(row[1] as Int64 + 1), let earliest = Offset(row[4] as Int64) else {
            throw StoreError(.corrupt, effect: .none, "The row of \(topic) holds impossible offsets.")
        }
        let head = TopicHead(
            earliest: earliest, end: end, lastClaimStart: (row[2] as Int64?).flatMap { Offset($0) },
            lastClaimedAt: Timestamp(milliseconds: row[3]), createdAt: Timestamp(milliseconds: row[5]),
            fencingToken: (row[6] as String?).flatMap { try? FencingToken($0) })
        return (row[0], head)
    }
}
