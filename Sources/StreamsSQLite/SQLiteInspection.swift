import Foundation
import GRDB
package import StreamsCore
package import StreamsModel

/// A data file, read as it is: beside a running server too, and without changing anything.
package struct SQLiteInspection: InspectedStore {
    private let reader: DatabaseQueue

    /// Opens a file for reading.
    ///
    /// - Throws: ``SQLiteStoreError`` where there is none, or it is not one of ours.
    package init(path: String) throws(SQLiteStoreError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw SQLiteStoreError.cannotOpen(path, reason: "there is no such file")
        }
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            reader = try DatabaseQueue(path: path, configuration: configuration)
            guard try reader.read(Schema.isOurs) else { throw SQLiteStoreError.foreign(path) }
        } catch let error as SQLiteStoreError {
            throw error
        } catch {
            throw SQLiteStoreError.cannotOpen(path, reason: "\(error)")
        }
    }

    /// The names in the table of topics.
    package func inspectedTopics() async throws(StoreError) -> [TopicName] {
        try await reading { try String.fetchAll($0, sql: "SELECT name FROM topic ORDER BY name") }
            .compactMap { try? TopicName($0) }
    }

    /// The topic's row.
    package func inspectedHead(of topic: TopicName) async throws(StoreError) -> TopicHead? {
        try await reading { try TopicRow.fetch(topic, $0)?.head }
    }

    /// The topic's rows, a few megabytes at a time at most.
    package func inspectedSegments(
        of topic: TopicName, from: Offset
    ) async throws(StoreError) -> [(key: SegmentKey, result: Result<Segment, StoreError>)] {
        try await reading { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT segment.last, segment.first, segment.kind, segment.append_id, segment.previous_claim,
                        segment.timestamp, segment.body, segment.format
                    FROM segment JOIN topic ON topic.id = segment.topic
                    WHERE topic.name = ? AND segment.last >= ? ORDER BY segment.last LIMIT 32
                    """, arguments: [topic.rawValue, from.rawValue])
            return rows.compactMap { row in
                guard let last = Offset(row[0] as Int64) else { return nil }
                let key = SegmentKey(topic: topic, last: last)
                return (key, Self.segment(at: key, row))
            }
        }
    }

    private static func segment(at key: SegmentKey, _ row: Row) -> Result<Segment, StoreError> {
        guard let first = Offset(row[1] as Int64), first <= key.last, let kind = Segment.Kind(rawValue: row[2]),
            kind != .merged, let appendID = AppendID(bytes: row[3]), row[7] as Int == Segment.format
        else {
            return .failure(StoreError(.corrupt, effect: .none, "The row is not readable."))
        }
        return .success(
            Segment(
                topic: key.topic, range: first..<key.last.advanced(by: 1), kind: kind, appendID: appendID,
                previousClaim: (row[4] as Int64?).flatMap { Offset($0) }, timestamp: Timestamp(milliseconds: row[5]),
                body: [UInt8](row[6] as Data)))
    }

    /// The file itself, and rows that belong to nothing.
    package func inspectedRest() async throws(StoreError) -> [Finding] {
        try await reading { database in
            var findings = try String.fetchAll(database, sql: "PRAGMA integrity_check")
                .filter { $0 != "ok" }.map { Finding(.file, of: nil, $0) }
            let orphans =
                try Int.fetchOne(
                    database, sql: "SELECT count(*) FROM segment WHERE topic NOT IN (SELECT id FROM topic)") ?? 0
            if orphans > 0 { findings.append(Finding(.noItem, of: nil, "\(orphans) segments belong to no topic.")) }
            for name in try String.fetchAll(database, sql: "SELECT name FROM topic") where (try? TopicName(name)) == nil
            {
                findings.append(Finding(.item, of: nil, "A topic has a name that can not be: '\(name.prefix(40))'."))
            }
            return findings
        }
    }

    private func reading<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await reader.read(body)
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(error, isWrite: false)
        }
    }
}
