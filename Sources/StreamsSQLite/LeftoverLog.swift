#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The write-ahead log that a process has left which did not close its file.
enum LeftoverLog {
    private static let chunkBytes = 1 << 20

    /// Makes durable all that the log shows; without effect where there is no log.
    ///
    /// What was written may never have been flushed, or its flush may have failed. Then the kernel shows the pages and
    /// takes them for clean: no later flush writes them. SQLite takes what it finds there for committed, and puts its
    /// next commits behind it, where a power loss would cut them off. Pages that are written again, with the same
    /// bytes, are part of the next flush. Nobody else may write to the log meanwhile: the ``FileLock`` must be held, and
    /// no commit under way.
    ///
    /// - Throws: ``SQLiteStoreError`` when the log can not be read, written or flushed.
    static func makeDurable(besides path: String) throws(SQLiteStoreError) {
        let descriptor = open(path + "-wal", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw failure(path)
        }
        defer { close(descriptor) }
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        var offset: off_t = 0
        while true {
            let count = pread(descriptor, &chunk, chunk.count, offset)
            guard count >= 0 else { throw failure(path) }
            if count == 0 { break }
            guard pwrite(descriptor, chunk, count, offset) == count else { throw failure(path) }
            offset += off_t(count)
        }
        guard flush(descriptor) else { throw failure(path) }
    }

    private static func flush(_ descriptor: CInt) -> Bool {
        #if canImport(Darwin)
            // There fsync() leaves it to the disk when to write.
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
        #endif
        return fsync(descriptor) == 0
    }

    private static func failure(_ path: String) -> SQLiteStoreError {
        .cannotOpen(path, reason: "its write-ahead log: " + String(cString: strerror(errno)))
    }
}
