import Foundation
import GRDB
import StreamsCore
import StreamsModel

/// What a change did to the file, to be noted in memory once its transaction is committed.
enum WriteResult: Sendable {
    case put(PutOutcome, Segment)
    case created(Bool, TopicName, rowID: Int64, TopicHead)
    case trimmed([TopicName: Offset], hasMore: Bool)
    case changed(FileChange.Performed)

    func apply(to states: inout TopicStates) {
        switch self {
        case .put(.stored, let segment):
            states.stored(segment)
        case .put(.taken, _):
            break
        case .created(true, let topic, let rowID, let head):
            states.replace(topic, with: TopicStates.State(rowID: rowID, head: head))
        case .created(false, let topic, let rowID, let head):
            states.adopt(TopicStates.State(rowID: rowID, head: head), for: topic)
        case .trimmed:
            // Noted before the commit.
            break
        case .changed(let performed):
            performed.noteAfterCommit(&states)
        }
    }

    func answer(_ operation: WriteOperation) {
        switch (operation, self) {
        case (.put(_, let continuation), .put(let outcome, _)):
            continuation.resume(returning: .success(outcome))
        case (.create(_, _, let continuation), .created(let isNew, _, _, _)):
            continuation.resume(returning: .success(isNew))
        case (.trimExpired(_, let continuation), .trimmed(_, let hasMore)):
            continuation.resume(returning: .success(hasMore))
        case (.change, .changed(let performed)):
            performed.answer()
        default:
            preconditionFailure("a result belongs to its operation")
        }
    }
}

/// The changes of one transaction.
struct WriteTransaction {
    let database: Database

    /// The newest durable segment of each topic that this transaction extends.
    private var newest: [TopicName: Segment] = [:]
    private var rowIDs: [TopicName: Int64] = [:]
    /// The idempotency key that the segment of an append belongs to, where there is one.
    private let pendingRecord: (AppendID) -> PendingProduceRecords.Entry?

    init(database: Database, pendingRecord: @escaping (AppendID) -> PendingProduceRecords.Entry? = { _ in nil }) {
        self.database = database
        self.pendingRecord = pendingRecord
    }

    /// Performs one change; `retentionStep` bounds how many segments one trim deletes.
    mutating func perform(_ operation: WriteOperation, _ retentionStep: Int) throws -> WriteResult {
        switch operation {
        case .put(let segment, _):
            .put(try put(segment), segment)
        case .create(let topic, let now, _):
            try create(topic, at: now)
        case .trimExpired(let cutoff, _):
            try trimExpired(before: cutoff, atMost: retentionStep)
        case .change(let change):
            .changed(try change.perform(&self))
        }
    }

    /// Stores the counters: together with the segments, so that one flush makes both durable.
    mutating func finish() throws {
        for (topic, segment) in newest {
            let statement = try database.cachedStatement(
                sql: """
                    UPDATE topic SET current_offset = ?, claim_offset = ?, claimed_at = ?
                    WHERE name = ? AND current_offset < ?
                    """)
            let last = segment.range.last.rawValue
            try statement.execute(arguments: [
                last, segment.range.lowerBound.rawValue, segment.timestamp.milliseconds, topic.rawValue, last,
            ])
        }
    }

    private mutating func put(_ segment: Segment) throws -> PutOutcome {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO segment
                    (topic, last, first, kind, format, append_id, previous_claim, timestamp, body)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (topic, last) DO NOTHING
                """)
        let topic = try rowID(of: segment.topic)
        try statement.execute(arguments: [
            topic, segment.range.last.rawValue, segment.range.lowerBound.rawValue, segment.kind.rawValue,
            Segment.format, segment.appendID.bytes, segment.previousClaim?.rawValue, segment.timestamp.milliseconds,
            Data(segment.body),
        ])
        guard database.changesCount == 1 else { return .taken }
        if newest[segment.topic].map({ $0.range.last < segment.range.last }) ?? true {
            newest[segment.topic] = segment
        }
        if segment.kind == .messages, let entry = pendingRecord(segment.appendID) {
            try ProduceRow.write(entry.record, of: entry.key.key, topic: topic, database)
        }
        return .stored
    }

    /// The row of a topic.
    ///
    /// - Throws: `corrupt` where there is none.
    mutating func rowID(of topic: TopicName) throws -> Int64 {
        if let known = rowIDs[topic] { return known }
        let statement = try database.cachedStatement(sql: "SELECT id FROM topic WHERE name = ?")
        guard let rowID = try Int64.fetchOne(statement, arguments: [topic.rawValue]) else {
            throw StoreError(.corrupt, effect: .none, "A segment was to be stored in \(topic), which does not exist.")
        }
        rowIDs[topic] = rowID
        return rowID
    }

    private func create(_ topic: TopicName, at now: Timestamp) throws -> WriteResult {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO topic (name, current_offset, claimed_at, trimmed_before, created_at) VALUES (?, 0, ?, 1, ?)
                ON CONFLICT (name) DO NOTHING
                """)
        try statement.execute(arguments: [topic.rawValue, now.milliseconds, now.milliseconds])
        let isNew = try database.changesCount == 1 || revive(topic, at: now)
        guard let (rowID, head) = try TopicRow.fetch(topic, database) else {
            throw StoreError(.corrupt, effect: .none, "The topic \(topic) can not be created.")
        }
        return .created(isNew, topic, rowID: rowID, head)
    }

    /// Makes a topic again that was deleted, above its old offsets; returns whether it was.
    private func revive(_ topic: TopicName, at now: Timestamp) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: """
                UPDATE topic SET created_at = max(?, deleted_at + 1), claimed_at = max(?, deleted_at + 1),
                    deleted_at = NULL
                WHERE name = ? AND deleted_at IS NOT NULL
                """)
        try statement.execute(arguments: [now.milliseconds, now.milliseconds, topic.rawValue])
        return database.changesCount == 1
    }

    /// Moves the low marks over the oldest expired segments and deletes them, in one transaction: there are no late
    /// writers here, so nothing can land where they stood.
    private func trimExpired(before cutoff: Timestamp, atMost count: Int) throws -> WriteResult {
        let rows = try Row.fetchAll(
            database.cachedStatement(
                sql: """
                    SELECT segment.topic, segment.last, segment.timestamp, topic.name
                    FROM segment JOIN topic ON topic.id = segment.topic ORDER BY segment.id LIMIT ?
                    """), arguments: [count])
        // Rows stand in order of commit, so of age, but for those whose clock was wrong: these hold nobody up.
        let expired = rows.filter { ($0[2] as Int64) < cutoff.milliseconds }
        var marks: [TopicName: Offset] = [:]
        var rowIDs: [TopicName: Int64] = [:]
        for row in expired {
            guard let topic = try? TopicName(row[3] as String), let last = Offset(row[1] as Int64) else { continue }
            marks[topic] = max(marks[topic] ?? .first, last.advanced(by: 1))
            rowIDs[topic] = row[0]
        }
        for (topic, earliest) in marks {
            guard let rowID = rowIDs[topic] else { continue }
            try database.cachedStatement(sql: "UPDATE topic SET trimmed_before = max(trimmed_before, ?) WHERE id = ?")
                .execute(arguments: [earliest.rawValue, rowID])
            try database.cachedStatement(sql: "DELETE FROM segment WHERE topic = ? AND last < ?")
                .execute(arguments: [rowID, earliest.rawValue])
        }
        let hasFreePages = try giveBackSpace()
        return .trimmed(marks, hasMore: hasFreePages || expired.count == count)
    }

    /// About how many pages of the write-ahead log the operations fill: the bodies, and a few pages around each.
    static func pageEstimate(_ operations: [WriteOperation]) -> Int {
        operations.reduce(3) { pages, operation in
            guard case .put(let segment, _) = operation else { return pages + 4 }
            return pages + segment.body.count / 4096 + 1
        }
    }
}

extension AppendID {
    /// The id as it is stored: 16 bytes, most significant first.
    var bytes: Data {
        var bytes = Data(capacity: 16)
        for word in [high, low] {
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return bytes
    }

    /// Reads ``bytes`` back; `nil` unless there are 16.
    init?(bytes: Data) {
        guard bytes.count == 16 else { return nil }
        let words = bytes.reduce(into: (UInt64(0), UInt64(0), 0)) { words, byte in
            if words.2 < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
            words.2 += 1
        }
        self.init(high: words.0, low: words.1)
    }
}
