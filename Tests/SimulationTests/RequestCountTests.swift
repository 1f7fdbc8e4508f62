import Foundation
import Logging
import Simulation
@testable import StreamsAWS
import StreamsCore
import StreamsModel
import Testing

/// What each operation costs on AWS, counted; `docs/costs.md` has the same table for people.
@Suite("On AWS")
struct RequestCountTests {
    /// One row of the table.
    struct Row: Sendable, CustomTestStringConvertible {
        /// The operation, as the document names it.
        var name: String
        /// What stands before it: so many appends of one message.
        var appends = 0
        /// What else stands before it.
        var prepare: (@Sendable (Log, AWSStore, TopicName) async throws -> Void)?
        /// The requests.
        var requests: [String: Int]
        /// The operation.
        var operation: @Sendable (Log, AWSStore, TopicName) async throws -> Void

        var testDescription: String { name }
    }

    static func read(_ log: Log, _ topic: TopicName, from offset: Int64) async throws {
        guard let start = Offset(offset) else { return }
        _ = try await log.read(
            ReadRequest(topic: topic, start: .offset(start), limit: 1000, bytesMaximum: 1_000_000))
    }

    static func append(
        _ log: Log, _ topic: TopicName, _ conditions: AppendConditions = AppendConditions()
    ) async throws {
        let text = Array("1".utf8)
        let batch = MessageBatch(bytes: text, messages: [MessageBatch.Spans(payload: 0..<1, hasLineBreak: false)])
        _ = try await log.append(batch, to: topic, conditions: conditions)
    }

    static let rows = plainRows + conditionRows + topicRows + groupRows + maintenanceRows

    private static let plainRows: [Row] = [
        Row(name: "produce", appends: 1, requests: ["dynamodb.UpdateItem": 1, "s3.PutObject": 1]) { log, _, topic in
            try await append(log, topic)
        },
        Row(
            name: "a topic's first message",
            requests: ["dynamodb.UpdateItem": 2, "s3.ListObjectsV2": 1, "s3.PutObject": 1]
        ) { log, _, topic in try await append(log, topic) },
        Row(name: "consume, nothing new", appends: 2, requests: ["dynamodb.GetItem": 1]) { log, _, topic in
            try await read(log, topic, from: 3)
        },
        Row(name: "consume, one batch behind", appends: 2, requests: ["dynamodb.GetItem": 1, "s3.GetObject": 1]) {
            log, _, topic in try await read(log, topic, from: 2)
        },
        Row(
            name: "consume a backlog of 20 objects", appends: 20,
            requests: ["dynamodb.GetItem": 1, "s3.ListObjectsV2": 1, "s3.GetObject": 20]
        ) { log, _, topic in try await read(log, topic, from: 1) },
        Row(name: "topic info", appends: 1, requests: ["dynamodb.GetItem": 1]) { log, _, topic in
            _ = try await log.info(of: topic)
        },
        Row(name: "list of topics", appends: 1, requests: ["dynamodb.Query": 1]) { log, _, _ in
            _ = try await log.topics(prefix: "", after: "", limit: 100)
        },
        Row(name: "health", requests: ["dynamodb.Query": 1, "s3.GetObject": 1]) { log, _, _ in
            try await log.checkStore()
        },
    ]

    private static let maintenanceRows: [Row] = [
        Row(
            name: "maintain a topic in which nothing is old", appends: 3,
            requests: ["dynamodb.GetItem": 2, "s3.ListObjectsV2": 1, "s3.GetObject": 3]
        ) { log, store, topic in _ = await log.maintain([topic], on: store) },
        Row(
            name: "maintain 20 old objects", appends: 20,
            requests: [
                "dynamodb.GetItem": 2, "dynamodb.UpdateItem": 0, "s3.ListObjectsV2": 2, "s3.GetObject": 20,
                "s3.PutObject": 1, "s3.DeleteObject": 19,
            ]
        ) { log, store, topic in
            var settings = MaintenanceSettings()
            settings.compactionAge = .zero
            let report = await log.maintain([topic], on: store, settings: settings)
            #expect(report.merges == 1 && report.isComplete)
        },
    ]

    @Test("an operation makes the requests that are documented, and no others", arguments: rows)
    func counts(row: Row) async throws {
        try SimulatedStore.with { store in
            let log = Log(
                table: store, segments: store, time: store.time, makeAppendID: AppendID.random,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let topic = try TopicName("t")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await log.run() }
                for _ in 0..<row.appends { try await Self.append(log, topic) }
                try await row.prepare?(log, store, topic)
                let before = store.objects.connection.counters.snapshot
                try await row.operation(log, store, topic)
                let counts = store.objects.connection.counters.snapshot.since(before).requests
                #expect(counts == row.requests.filter { $0.value > 0 })
                log.close()
            }
        }
    }

    @Test("the table in the documents is this one")
    func document() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: folder.appendingPathComponent("docs/costs.md"), encoding: .utf8)
        for row in Self.rows {
            let requests = row.requests.filter { $0.value > 0 }.sorted { $0.key < $1.key }
                .map { "\($0.value) `\($0.key.split(separator: ".")[1])`" }.joined(separator: ", ")
            let dollars = String(format: "%.2f", AWSPrices.dollars(for: row.requests) * 1_000_000)
            let line = "| \(row.name) | \(requests) | \(dollars) |"
            #expect(text.contains(line), "docs/costs.md lacks the line: \(line)")
        }
    }
}
