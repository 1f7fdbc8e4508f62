import Foundation
import GRDB
package import StreamsCore
package import StreamsModel
import Synchronization

extension SQLiteStore: SegmentStore {
    /// A list costs the same a key however many there are, so pages are small: few readers want more.
    package var keysPerList: Int { 32 }

    package func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        try await withCheckedContinuation { enqueue(.put(segment, $0)) }.get()
    }

    package func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] {
        try await reading { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT segment.first, kind, append_id, previous_claim, timestamp, body
                    FROM segment JOIN topic ON topic.id = segment.topic WHERE topic.name = ? AND segment.last = ?
                    """)
            return try keys.map { key in
                let rows = try Row.fetchCursor(statement, arguments: [key.topic.rawValue, key.last.rawValue])
                // The row is a view of the cursor: it is empty once the cursor is gone.
                return try withExtendedLifetime(rows) { try rows.next().map { try Self.segment(at: key, from: $0) } }
            }
        }
    }

    package func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        // A commit is visible here a moment before the head covers it. Nobody may read past the end that the next
        // look at the head would deny.
        let end = states.withLock { $0[topic]?.head.end.rawValue } ?? .max
        return try await reading { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT segment.last, length(segment.body)
                    FROM segment JOIN topic ON topic.id = segment.topic
                    WHERE topic.name = ? AND segment.last >= ? AND segment.last < ? ORDER BY segment.last LIMIT ?
                    """)
            let rows = try Row.fetchCursor(statement, arguments: [topic.rawValue, from.rawValue, end, limit])
            var listings: [SegmentListing] = []
            while let row = try rows.next() {
                guard let last = Offset(row[0] as Int64) else { continue }
                listings.append(SegmentListing(key: SegmentKey(topic: topic, last: last), bodyBytes: row[1]))
            }
            return listings
        }
    }

    private static func segment(at key: SegmentKey, from row: Row) throws -> Segment {
        guard let first = Offset(row[0] as Int64), first <= key.last, let kind = Segment.Kind(rawValue: row[1]),
            // Nothing is merged in a file.
            kind != .merged, let appendID = AppendID(bytes: row[2])
        else {
            throw StoreError(.corrupt, effect: .none, "The segment at \(key.topic)/\(key.last) is not readable.")
        }
        return Segment(
            topic: key.topic, range: first..<key.last.advanced(by: 1), kind: kind, appendID: appendID,
            previousClaim: (row[3] as Int64?).flatMap { Offset($0) }, timestamp: Timestamp(milliseconds: row[4]),
            body: try row.withUnsafeData(atIndex: 5) { $0.map { [UInt8]($0) } ?? [] })
    }
}
