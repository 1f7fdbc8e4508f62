import GRDB
import StreamsCore

/// Why a file can not be opened as a store: a sentence for whoever starts the server.
package struct SQLiteStoreError: Error, CustomStringConvertible, Sendable {
    /// What is wrong and what to do about it.
    package let description: String

    static func inUse(_ path: String, holder: String?) -> SQLiteStoreError {
        let process = holder.map { " (process \($0))" } ?? ""
        return SQLiteStoreError(
            description: "The data file is in use by another process\(process): \(path) is locked. "
                + "Stop that process, or choose another file with --data.")
    }

    static func cannotOpen(_ path: String, reason: String) -> SQLiteStoreError {
        SQLiteStoreError(description: "The data file can not be opened: \(path): \(reason).")
    }

    static func foreign(_ path: String) -> SQLiteStoreError {
        SQLiteStoreError(
            description: "The data file is a database of another program: \(path). Choose another file with --data.")
    }

    static func tooNew(_ path: String) -> SQLiteStoreError {
        SQLiteStoreError(
            description: "The data file was written by a newer version of streams: \(path). "
                + "Use that version, or choose another file with --data.")
    }
}

extension StoreError {
    /// Translates what a statement or a commit threw.
    ///
    /// `isWrite` says whether the failure may hide an effect: a commit whose flush failed may still be found in the
    /// file after a crash.
    init(_ error: any Error, isWrite: Bool) {
        if let error = error as? StoreError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.unavailable, effect: isWrite ? .unknown : .none, "The embedded store failed: \(error)")
            return
        }
        let message = "SQLite: \(error.message ?? error.resultCode.description) (\(error.extendedResultCode.rawValue))"
        switch error.resultCode {
        case .SQLITE_FULL:
            // Raised when a page could not be written, so before the commit record: nothing is in the file.
            self.init(.outOfSpace, effect: .none, message)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(.corrupt, effect: .none, message)
        case .SQLITE_IOERR:
            self.init(.unavailable, effect: isWrite ? .unknown : .none, message)
        default:
            self.init(.unavailable, effect: .none, message)
        }
    }
}
