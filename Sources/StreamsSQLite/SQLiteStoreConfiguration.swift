/// The settings of the embedded store.
package struct SQLiteStoreConfiguration: Sendable {
    /// The database file; its folder must exist.
    ///
    /// SQLite keeps `-wal` and `-shm` files beside it, and this store a
    /// `.lock` file.
    package var path: String
    /// How long messages are kept, counted from their append; `nil` keeps them for ever.
    package var retention: Duration?
    /// How often expired messages are looked for.
    ///
    /// A tenth of the retention, within 1 and 30 seconds.
    package var retentionInterval: Duration = .seconds(30)
    /// Most segments that one step of retention deletes, so that appends never wait long for it.
    package var retentionStep = 128
    /// How many reads run at the same time.
    package var readerCount = 4

    /// Makes settings with 30 days of retention.
    package init(path: String, retention: Duration? = .seconds(30 * 24 * 60 * 60)) {
        self.path = path
        self.retention = retention
        // A short retention is kept about as exactly as a long one.
        if let retention { retentionInterval = min(retentionInterval, max(.seconds(1), retention / 10)) }
    }
}
