import GRDB
import StreamsCore
import StreamsModel

/// A row of the table `consumer_group`: see ``Schema``.
enum GroupRow {
    static let migration = "2 consumer groups"

    static func createTable(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE consumer_group (
                    topic TEXT NOT NULL,
                    name TEXT NOT NULL,
                    topic_created_at INTEGER NOT NULL,
                    committed_offset INTEGER NOT NULL,
                    delivered_offset INTEGER NOT NULL,
                    generation INTEGER NOT NULL,
                    consumer TEXT,
                    lease_expires_at INTEGER,
                    lease_milliseconds INTEGER,
                    created_at INTEGER NOT NULL,
                    version BLOB NOT NULL,
                    PRIMARY KEY (topic, name)
                ) STRICT, WITHOUT ROWID;
                """)
    }

    private static let columns = """
        name, topic_created_at, committed_offset, delivered_offset, generation, consumer, lease_expires_at,
        lease_milliseconds, created_at, version
        """

    /// The group of a key; `nil` where there is none.
    static func fetch(_ key: GroupKey, _ database: Database) throws -> Group? {
        let statement = try database.cachedStatement(
            sql: "SELECT \(columns) FROM consumer_group WHERE topic = ? AND name = ?")
        let row = try Row.fetchOne(statement, arguments: [key.topic.rawValue, key.name.rawValue])
        return try row.map { try group(of: key.topic, $0) }
    }

    /// Groups of a topic in name order.
    static func fetch(_ topic: TopicName, after: String, limit: Int, _ database: Database) throws -> [Group] {
        let statement = try database.cachedStatement(
            sql: "SELECT \(columns) FROM consumer_group WHERE topic = ? AND name > ? ORDER BY name LIMIT ?")
        return try Row.fetchAll(statement, arguments: [topic.rawValue, after, limit]).map { try group(of: topic, $0) }
    }

    /// The version that stands; `nil` where there is no such group.
    static func version(of key: GroupKey, _ database: Database) throws -> AppendID? {
        let statement = try database.cachedStatement(
            sql: "SELECT version FROM consumer_group WHERE topic = ? AND name = ?")
        return try Row.fetchOne(statement, arguments: [key.topic.rawValue, key.name.rawValue])
            .flatMap { AppendID(bytes: $0[0]) }
    }

    /// Puts a group in the place of the one that may stand.
    static func put(_ group: Group, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO consumer_group (topic, \(columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        try statement.execute(arguments: [
            group.key.topic.rawValue, group.key.name.rawValue, group.topicCreatedAt.milliseconds,
            group.committed.rawValue, group.delivered.rawValue, group.generation.rawValue, group.lease?.consumer,
            group.lease?.expiresAt.milliseconds, group.lease?.length.wholeMilliseconds, group.createdAt.milliseconds,
            group.version.bytes,
        ])
    }

    /// Deletes a group.
    static func delete(_ key: GroupKey, _ database: Database) throws {
        try database.cachedStatement(sql: "DELETE FROM consumer_group WHERE topic = ? AND name = ?")
            .execute(arguments: [key.topic.rawValue, key.name.rawValue])
    }

    private static func group(of topic: TopicName, _ row: Row) throws -> Group {
        guard let name = try? GroupName(row[0] as String), let committed = Offset(row[2] as Int64),
            let delivered = Offset(row[3] as Int64), committed <= delivered,
            let generation = Generation(row[4] as Int64), let version = AppendID(bytes: row[9])
        else {
            throw StoreError(.corrupt, effect: .none, "The row of a group of \(topic) is not readable.")
        }
        var lease: GroupLease?
        if let consumer = row[5] as String?, let expiresAt = row[6] as Int64?, let length = row[7] as Int64? {
            lease = GroupLease(
                consumer: consumer, expiresAt: Timestamp(milliseconds: expiresAt), length: .milliseconds(length))
        }
        return Group(
            key: GroupKey(topic: topic, name: name), topicCreatedAt: Timestamp(milliseconds: row[1]),
            committed: committed, delivered: delivered, generation: generation, lease: lease,
            createdAt: Timestamp(milliseconds: row[8]), version: version)
    }
}
