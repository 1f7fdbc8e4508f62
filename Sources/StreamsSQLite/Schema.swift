import GRDB

/// The tables of the file, as numbered migrations.
///
/// Stored: a migration that was released is never changed.
///
///     topic                                   one row a topic
///       id              INTEGER  row id
///       name            TEXT     the topic's name, unique
///       current_offset  INTEGER  last offset handed out, of those that are durable; 0 for none
///       claim_offset    INTEGER  first offset of the newest durable claim, or NULL
///       claimed_at      INTEGER  when that claim was taken (ms); when the topic was created where there is none
///       trimmed_before  INTEGER  first offset that is kept
///       created_at      INTEGER  when the topic was created (ms)
///       deleted_at      INTEGER  when the topic was deleted (ms), or NULL while it stands
///       trimmed_at      INTEGER  when trimmed_before was last moved by a trim or a delete (ms), or NULL
///       retention       INTEGER  how long messages are kept (ms), or NULL for as long as others
///       retention_bytes INTEGER  how many bytes of messages are kept, or NULL for all
///       settings_version INTEGER how often the two before were changed
///       parent          TEXT     of a branch: the name of the topic that it reads as below fork_offset; else NULL
///       fork_offset     INTEGER  of a branch: the first offset of its own
///       parent_tail     INTEGER  of a branch: the parent's current_offset at the time of the fork
///       parent_claim    INTEGER  of a branch: the parent's claim_offset at the time of the fork, or NULL
///       fencing_token   TEXT     what appends must carry, or NULL
///
///     segment                                 one row a segment, in order of commit
///       id              INTEGER  row id
///       topic           INTEGER  topic.id
///       last            INTEGER  last offset: with topic, the key
///       first           INTEGER  first offset
///       kind            INTEGER  0 messages, 1 filler
///       format          INTEGER  version of the body's format
///       append_id       BLOB     16 bytes
///       previous_claim  INTEGER  first offset of the claim before, or NULL
///       timestamp       INTEGER  time of the claim (ms)
///       body            BLOB     NDJSON
///
///     consumer_group                          one row a group, by topic and name
///       topic               TEXT     the topic's name
///       name                TEXT     the group's name
///       topic_created_at    INTEGER  topic.created_at of the topic that the group belongs to
///       committed_offset    INTEGER  next offset to process
///       delivered_offset    INTEGER  where the holder of the lease goes on
///       generation          INTEGER  number of the newest lease or seek
///       consumer            TEXT     who holds the lease, or NULL
///       lease_expires_at    INTEGER  when it ends (ms), or NULL
///       lease_milliseconds  INTEGER  for how long it is renewed, or NULL
///       created_at          INTEGER  when the group was created (ms)
///       version             BLOB     16 bytes, drawn anew for each write
///     produce                                 one row an idempotency key whose batch is stored
///       topic           INTEGER  topic.id
///       key             TEXT     the key: with topic, the primary key
///       first           INTEGER  first offset of the batch
///       last            INTEGER  last offset
///       previous_claim  INTEGER  first offset of the claim before, or NULL
///       claimed_at      INTEGER  time of the claim (ms)
///       append_id       BLOB     16 bytes: that of the segment
///       body_hash       BLOB     32 bytes
///       expires_at      INTEGER  from when on the key may be used anew (ms)
enum Schema {
    private static let firstMigration = "1 topics and segments"

    /// Whether the file is new, as far as it has come, or was made by this store.
    static func isOurs(_ database: Database) throws -> Bool {
        let tables = try String.fetchSet(database, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
        guard !tables.isEmpty else { return true }
        guard tables.contains("grdb_migrations") else { return false }
        let identifiers = try String.fetchSet(database, sql: "SELECT identifier FROM grdb_migrations")
        // A first start that was cut short leaves the table of the migrations, and nothing in it.
        if tables == ["grdb_migrations"], identifiers.isEmpty { return true }
        return identifiers.contains(firstMigration)
    }

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration(firstMigration) { database in
            try database.execute(
                sql: """
                    CREATE TABLE topic (
                        id INTEGER PRIMARY KEY,
                        name TEXT NOT NULL UNIQUE,
                        current_offset INTEGER NOT NULL,
                        claim_offset INTEGER,
                        claimed_at INTEGER NOT NULL,
                        trimmed_before INTEGER NOT NULL,
                        created_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE segment (
                        id INTEGER PRIMARY KEY,
                        topic INTEGER NOT NULL REFERENCES topic(id),
                        last INTEGER NOT NULL,
                        first INTEGER NOT NULL,
                        kind INTEGER NOT NULL,
                        format INTEGER NOT NULL,
                        append_id BLOB NOT NULL,
                        previous_claim INTEGER,
                        timestamp INTEGER NOT NULL,
                        body BLOB NOT NULL
                    ) STRICT;
                    CREATE UNIQUE INDEX segment_key ON segment(topic, last);
                    """)
        }
        migrator.registerMigration("2 trim, delete, settings and branches of topics") { database in
            try database.execute(
                sql: """
                    ALTER TABLE topic ADD COLUMN deleted_at INTEGER;
                    ALTER TABLE topic ADD COLUMN trimmed_at INTEGER;
                    ALTER TABLE topic ADD COLUMN retention INTEGER;
                    ALTER TABLE topic ADD COLUMN retention_bytes INTEGER;
                    ALTER TABLE topic ADD COLUMN settings_version INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE topic ADD COLUMN parent TEXT;
                    ALTER TABLE topic ADD COLUMN fork_offset INTEGER;
                    ALTER TABLE topic ADD COLUMN parent_tail INTEGER;
                    ALTER TABLE topic ADD COLUMN parent_claim INTEGER;
                    """)
        }
        migrator.registerMigration(GroupRow.migration) { try GroupRow.createTable($0) }
        migrator.registerMigration("2 idempotency keys and fencing tokens") { database in
            try database.execute(
                sql: """
                    ALTER TABLE topic ADD COLUMN fencing_token TEXT;
                    CREATE TABLE produce (
                        topic INTEGER NOT NULL REFERENCES topic(id),
                        key TEXT NOT NULL,
                        first INTEGER NOT NULL,
                        last INTEGER NOT NULL,
                        previous_claim INTEGER,
                        claimed_at INTEGER NOT NULL,
                        append_id BLOB NOT NULL,
                        body_hash BLOB NOT NULL,
                        expires_at INTEGER NOT NULL,
                        PRIMARY KEY (topic, key)
                    ) STRICT, WITHOUT ROWID;
                    CREATE INDEX produce_expiry ON produce(expires_at);
                    """)
        }
        return migrator
    }
}
