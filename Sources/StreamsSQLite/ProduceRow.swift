import Foundation
import GRDB
import StreamsCore
import StreamsModel

/// A row of the table `produce`: see ``Schema``.
enum ProduceRow {
    /// The record of a key; `nil` where there is none.
    static func fetch(_ key: IdempotencyKey, in topic: TopicName, _ database: Database) throws -> ProduceRecord? {
        let statement = try database.cachedStatement(
            sql: """
                SELECT first, last, previous_claim, produce.claimed_at, append_id, body_hash, expires_at
                FROM produce JOIN topic ON topic.id = produce.topic WHERE topic.name = ? AND produce.key = ?
                """)
        guard let row = try Row.fetchOne(statement, arguments: [topic.rawValue, key.rawValue]) else { return nil }
        guard let first = Offset(row[0] as Int64), let last = Offset(row[1] as Int64), first <= last,
            let appendID = AppendID(bytes: row[4]), let digest = RequestDigest([UInt8](row[5] as Data))
        else {
            throw StoreError(.corrupt, effect: .none, "The row of an idempotency key of \(topic) is not readable.")
        }
        let claim = Claim(
            topic: topic, range: first..<last.advanced(by: 1), previousClaim: (row[2] as Int64?).flatMap { Offset($0) },
            at: Timestamp(milliseconds: row[3]))
        return ProduceRecord(
            claim: claim, appendID: appendID, digest: digest, expiresAt: Timestamp(milliseconds: row[6]))
    }

    /// Writes the record of a key, in the place of an expired one that may still be there.
    static func write(
        _ record: ProduceRecord, of key: IdempotencyKey, topic rowID: Int64, _ database: Database
    ) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO produce
                    (topic, key, first, last, previous_claim, claimed_at, append_id, body_hash, expires_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """)
        let claim = record.claim
        try statement.execute(arguments: [
            rowID, key.rawValue, claim.range.lowerBound.rawValue, claim.range.last.rawValue,
            claim.previousClaim?.rawValue, claim.at.milliseconds, record.appendID.bytes, Data(record.digest.bytes),
            record.expiresAt.milliseconds,
        ])
    }

    /// Whether there is a record that is expired.
    static func hasExpired(at now: Timestamp, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM produce WHERE expires_at <= ?)"),
            arguments: [now.milliseconds]) ?? false
    }

    /// Deletes at most `limit` expired records; returns whether there may be more.
    static func delete(expiredAt now: Timestamp, limit: Int, _ database: Database) throws -> Bool {
        try database.cachedStatement(
            sql: """
                DELETE FROM produce WHERE (topic, key) IN
                    (SELECT topic, key FROM produce WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
                """
        ).execute(arguments: [now.milliseconds, limit])
        return database.changesCount == limit
    }
}
