import GRDB
import StreamsCore
import StreamsModel

/// What has been trimmed goes from the file, a bounded part at a time.
extension WriteTransaction {
    /// Deletes the oldest segments wholly below the low mark of a topic; returns whether there may be more.
    ///
    /// At most `count` segments, and about `bytesMaximum` bytes of them: what waits for the same commit waits no longer.
    func deleteTrimmed(_ topic: Int64, atMost count: Int, bytesMaximum: Int) throws -> Bool {
        let rows = try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT segment.last, length(segment.body) FROM segment JOIN topic ON topic.id = segment.topic
                    WHERE segment.topic = ? AND segment.last < topic.trimmed_before ORDER BY segment.last LIMIT ?
                    """), arguments: [topic, count])
        var bytes = 0
        var last: Int64?
        for row in rows where bytes < bytesMaximum {
            last = row[0]
            bytes += row[1]
        }
        guard let last else { return false }
        try database.cachedStatement(sql: "DELETE FROM segment WHERE topic = ? AND last <= ?")
            .execute(arguments: [topic, last])
        return true
    }

    /// Gives a bounded part of the free pages back to the file system; returns whether there are more.
    func giveBackSpace() throws -> Bool {
        let free = try freePageCount()
        guard free > 0 else { return false }
        try database.execute(sql: "PRAGMA incremental_vacuum(512)")
        // A file that somebody has rebuilt without incremental vacuum keeps its free pages: then nothing is to be hoped
        // from going on.
        let rest = try freePageCount()
        return rest > 0 && rest < free
    }

    private func freePageCount() throws -> Int {
        try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
    }
}
