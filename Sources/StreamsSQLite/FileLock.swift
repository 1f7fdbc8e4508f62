import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps a database file to one process, by an advisory lock on a file beside it.
///
/// The kernel gives the lock up when the process ends, however it ends. A file of its own is locked because closing any
/// descriptor of the database would drop SQLite's own locks on it.
final class FileLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock.
    ///
    /// - Throws: ``SQLiteStoreError`` when another process holds it, or the lock file can not be written.
    init(path: String) throws(SQLiteStoreError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw SQLiteStoreError.cannotOpen(path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.read(descriptor)
            close(descriptor)
            throw SQLiteStoreError.inUse(path, holder: holder)
        }
        let holder = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, holder, holder.count, 0)
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    private static func read(_ descriptor: CInt) -> String? {
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return nil }
        return String(decoding: buffer.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
