import ArgumentParser
import Foundation
import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsSQLite

/// `streams maintain`: merges small old segments, closes old holes, deletes what was trimmed.
struct MaintainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "maintain",
        abstract: "Merge small old segments, close holes that dead writers left, delete what was trimmed.",
        discussion: """
            Works on the store itself, beside servers, functions and other maintenance. Ends with 0 when all is done. On \
            a data file only holes are closed, and no server may have it open: a server looks after its file itself.
            """)

    @Argument(help: "The topics; all where none are named.")
    var topics: [String] = []

    @Option(help: "Stop after so many minutes, and say what is left.")
    var minutes: Double?

    @Option(help: "Merge runs of at least so many segments (2 to 125).")
    var segments = MaintenanceSettings().segmentsMinimum

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard (2...125).contains(segments) else { throw ValidationError("--segments is a number from 2 to 125.") }
        if let minutes, !(minutes > 0 && minutes <= 525_600) {
            throw ValidationError("--minutes is a number above 0, at most 525600.")
        }
    }

    func run() async throws {
        let topics = try StoreOptions.topics(topics)
        let interruption = Interruption(minutes: minutes)
        let listeners = interruption.listen()
        defer { for listener in listeners { listener.cancel() } }
        let report =
            switch try options.kind {
            case .aws: try await maintainAWS(topics) { !interruption.hasCome }
            case .sqlite: try await maintainFile(topics) { !interruption.hasCome }
            }
        for line in report.defects + report.unfinished { Terminal.report("streams: \(line)") }
        guard report.isComplete else { throw ExitCode.failure }
    }

    private func maintainAWS(
        _ topics: [TopicName], _ goesOn: @escaping @Sendable () -> Bool
    ) async throws -> MaintenanceReport {
        let logger = StoreOptions.makeLogger()
        let aws = try options.openAWS(logger)
        var settings = MaintenanceSettings()
        settings.segmentsMinimum = segments
        let report = await aws.makeLog(logger).maintain(topics, on: aws.store, settings: settings, goesOn: goesOn)
        let counts = aws.connection.counters.snapshot.requests
        print(report.text)
        print("Requests made: \(Self.requests(counts)), \(Self.dollars(AWSPrices.dollars(for: counts))).")
        print(
            "Reading all of it from the beginning takes \(Self.catchUp(report.after)); before it took "
                + "\(Self.catchUp(report.before)).")
        return report
    }

    private func maintainFile(
        _ topics: [TopicName], _ goesOn: @escaping @Sendable () -> Bool
    ) async throws -> MaintenanceReport {
        let logger = StoreOptions.makeLogger()
        let path = try options.path
        let store: SQLiteStore
        do {
            // Opening would make one.
            _ = try SQLiteInspection(path: path)
            store = try SQLiteStore(
                configuration: SQLiteStoreConfiguration(path: path, retention: nil), logger: logger)
        } catch {
            Terminal.report("streams: \(error)")
            throw ExitCode.failure
        }
        let log = Log(
            table: store, segments: store, time: SystemTime(), makeAppendID: AppendID.random, logger: logger)
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await store.run() }
            let report = await log.maintain(topics, on: nil, goesOn: goesOn)
            store.close()
            await group.waitForAll()
            print(report.text)
            return report
        }
    }

    // MARK: Words

    private static func requests(_ counts: [String: Int]) -> String {
        let texts = counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return texts.isEmpty ? "none" : texts.joined(separator: ", ")
    }

    private static func catchUp(_ stock: MaintenanceReport.Stock) -> String {
        let reads = stock.catchUp
        let cost = AWSPrices.dollars(for: [
            "dynamodb.GetItem": reads.heads, "s3.ListObjectsV2": reads.lists, "s3.GetObject": reads.gets,
        ])
        return "\(reads.requests) requests, \(dollars(cost))"
    }

    private static func dollars(_ amount: Double) -> String { "$" + String(format: "%.6f", amount) }
}

extension MaintenanceReport {
    /// What was found and done, for people.
    var text: String {
        """
        Topics: \(topics). Looked at \(before.segments) segments with \(before.messages) messages, \(before.bytes) bytes; \
        now \(after.segments) segments.
        Merges: \(merges). Holes closed: \(holesClosed). Topics trimmed by their own settings: \(trimmedBySettings). \
        Trimmed segments deleted: \(trimmedDeleted).
        """
    }
}
