import ArgumentParser
import CAllocator
import CoreMetrics
import Foundation
import Logging
import ServiceLifecycle
import StreamsAWS
import StreamsCore
import StreamsHTTP
import StreamsModel
import StreamsServer
import StreamsSQLite
import UnixSignals

/// `streams serve`: runs a server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run a server.",
        discussion: """
            Each option can also be given in the environment, by the name in parentheses; a flag wins. SIGTERM and \
            SIGINT (Ctrl-C) stop it after the requests under way have their answers.
            """)

    @Option(help: "The port (STREAMS_PORT; default 9000; 0 for any free one).")
    var port: String?

    @Option(help: "The address to listen on (STREAMS_HOST; default 127.0.0.1, this machine only).")
    var host: String?

    @Option(
        help: """
            Where messages are kept: 'sqlite', 'aws' (a bucket and a table), or 'memory', which forgets \
            (STREAMS_STORE; default sqlite).
            """)
    var store: String?

    @Option(help: "The data file (STREAMS_DATA; default data/streams.sqlite); its folder is created.")
    var data: String?

    @Option(help: "With --store aws: the S3 bucket that keeps the messages (BUCKET_NAME).")
    var bucket: String?

    @Option(help: "With --store aws: the DynamoDB table that keeps the counters (COUNTERS_TABLE).")
    var table: String?

    @Option(
        help: """
            How long messages are kept: 30d, 12h, 15m, 30s or 'forever'; with --store aws the days of the bucket's \
            lifecycle rule (STREAMS_RETENTION; default 30d).
            """)
    var retention: String?

    @Option(
        help: "How long idempotency keys are remembered: 24h, 30m, 2d (STREAMS_IDEMPOTENCY_EXPIRY; default 24h).")
    var idempotencyExpiry: String?

    @Option(help: "Origins that browsers may call from, separated by commas (STREAMS_ALLOWED_ORIGINS; default *).")
    var allowedOrigins: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical (STREAMS_LOG_LEVEL; default info).")
    var logLevel: String?

    func run() async throws {
        let settings = try ServeSettings(self)
        // By default glibc maps large blocks anew each time, and every large answer pays for hundreds of page faults.
        allocator_keep_blocks(8 * 1024 * 1024)
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "streams")
        logger.logLevel = settings.logLevel
        do {
            try await Server(settings: settings, logger: logger).run()
        } catch {
            logger.critical("failed", metadata: ["error": "\(Self.explain(error, settings))"])
            throw ExitCode.failure
        }
    }

    private static func explain(_ error: any Error, _ settings: ServeSettings) -> String {
        if let error = error as? SQLiteStoreError { return error.description }
        if let error = error as? StoreError { return error.message }
        if let error = error as? CocoaError {
            return "The folder of the data file can not be made: \(settings.dataPath): \(error.localizedDescription)"
        }
        let text = "\(error)"
        guard text.hasPrefix("bind(") else { return text }
        return "Cannot listen on \(settings.host):\(settings.port): \(text). Stop what listens there, "
            + "or choose another port with --port."
    }
}

/// The settings of a server, checked.
struct ServeSettings {
    /// The kinds of store that can be chosen.
    enum Store: String {
        case sqlite
        case aws
        case memory
    }

    let host: String
    let port: Int
    let store: Store
    let dataPath: String
    /// The store on AWS, where that is the one.
    let aws: AWSStoreSettings?
    let retention: Retention
    let idempotencyExpiry: Duration
    let allowedOrigins: [String]
    let logLevel: Logger.Level

    /// Reads flags and environment.
    ///
    /// - Throws: `ValidationError`.
    init(_ command: ServeCommand) throws {
        host = try Setting(flag: "--host", variable: "STREAMS_HOST").value(flag: command.host, default: "127.0.0.1")
        port = try Setting(flag: "--port", variable: "STREAMS_PORT", form: "a number from 0 to 65535") {
            Int($0).flatMap { (0...65535).contains($0) ? $0 : nil }
        }.value(flag: command.port, default: 9000)
        store = try Setting(flag: "--store", variable: "STREAMS_STORE", form: "'sqlite', 'aws' or 'memory'") {
            Store(rawValue: $0)
        }.value(flag: command.store, default: .sqlite)
        dataPath = try Setting(flag: "--data", variable: "STREAMS_DATA")
            .value(flag: command.data, default: "data/streams.sqlite")
        retention = try Setting(
            flag: "--retention", variable: "STREAMS_RETENTION", form: "a time such as 30d, 12h, 15m, 30s, or 'forever'"
        ) { Retention($0) }
        .value(flag: command.retention, default: .limited(.seconds(30 * 86400)))
        idempotencyExpiry = try Setting(
            flag: "--idempotency-expiry", variable: "STREAMS_IDEMPOTENCY_EXPIRY", form: "a time such as 24h, 30m or 2d"
        ) { Retention($0)?.duration }
        .value(flag: command.idempotencyExpiry, default: LogConfiguration().idempotencyExpiry)
        aws = try store == .aws ? Self.aws(command) : nil
        allowedOrigins = try Setting(flag: "--allowed-origins", variable: "STREAMS_ALLOWED_ORIGINS", form: "a list") {
            $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }.value(flag: command.allowedOrigins, default: ["*"])
        logLevel = try Setting(
            flag: "--log-level", variable: "STREAMS_LOG_LEVEL",
            form: "one of trace, debug, info, notice, warning, error, critical"
        ) { Logger.Level(rawValue: $0) }
        .value(flag: command.logLevel, default: .info)
    }

    private static func aws(_ command: ServeCommand) throws -> AWSStoreSettings {
        var texts = AWSStoreSettings.Texts(environment: ProcessInfo.processInfo.environment)
        if let bucket = command.bucket { texts.bucket = bucket }
        if let table = command.table { texts.table = table }
        if let retention = command.retention { texts.retention = retention }
        if let expiry = command.idempotencyExpiry { texts.idempotencyExpiry = expiry }
        do {
            return try AWSStoreSettings(texts)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
