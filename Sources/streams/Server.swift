import CoreMetrics
import Foundation
import Logging
import ServiceLifecycle
import StreamsAWS
import StreamsCore
import StreamsHTTP
import StreamsMetrics
import StreamsModel
import StreamsServer
import StreamsSQLite
import UnixSignals

/// The embedded server, put together: store, log, API, socket.
struct Server {
    let settings: ServeSettings
    let logger: Logger

    /// Serves until SIGTERM or SIGINT.
    func run() async throws {
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let storage = try await openStorage(SystemTime(), registry)
        var logConfiguration = storage.configuration
        logConfiguration.idempotencyExpiry = settings.idempotencyExpiry
        let log = Log(
            table: storage.table, segments: storage.segments, time: storage.time, makeAppendID: AppendID.random,
            configuration: logConfiguration, logger: logger)
        registry.observe(log.counters)
        registry.observe(log.groupCounters)
        var configuration = StreamsHandler.Configuration(
            storeName: settings.store.rawValue, version: Version.current)
        configuration.allowedOrigins = settings.allowedOrigins
        let handler = StreamsHandler(log: log, configuration: configuration) { registry.text }
        var http = HTTPService.Configuration(port: settings.port)
        http.host = settings.host
        let service = HTTPService(
            handler: handler, configuration: http, metrics: RequestMetrics(factory: registry), logger: logger
        ) { announceReady(port: $0, storage.description) }
        // Shut down from the last to the first: no new requests, then the appends under way, then the store.
        let services: [any Service] =
            storage.services + [
                HTTPService.besideConnections(run: { await log.run() }, close: { log.close() }), service,
            ]
        try await runServices(services)
        logger.info("stopped")
    }

    private func runServices(_ services: [any Service]) async throws {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .error)
        var configuration = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet)
        configuration.maximumGracefulShutdownDuration = .seconds(25)
        try await ServiceGroup(configuration: configuration).run()
    }

    // MARK: Storage

    private struct Storage {
        var table: any StreamsCore.Table
        var segments: any SegmentStore
        var time: any TimeSource
        var configuration = LogConfiguration()
        var services: [any Service] = []
        var description: String
    }

    private func openStorage(_ time: SystemTime, _ registry: PrometheusRegistry) async throws -> Storage {
        switch settings.store {
        case .memory:
            let store = InMemoryStore()
            return Storage(
                table: store, segments: store, time: time, description: "memory, gone when it stops")
        case .aws:
            return try await openAWS(time, registry)
        case .sqlite:
            let folder = URL(fileURLWithPath: settings.dataPath).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let store = try SQLiteStore(
                configuration: SQLiteStoreConfiguration(
                    path: settings.dataPath, retention: settings.retention.duration),
                time: time, logger: logger)
            registry.observe("streams_store_commits_total", kind: "counter") { Double(store.commitCount) }
            let service = BackgroundService(run: { await store.run() }, close: { store.close() })
            let cache = CachingSegmentStore(store, bytesMaximum: 8 * 1024 * 1024)
            return Storage(
                table: store, segments: cache, time: time, services: [service],
                description: URL(fileURLWithPath: settings.dataPath).path)
        }
    }

    private func openAWS(_ time: SystemTime, _ registry: PrometheusRegistry) async throws -> Storage {
        guard let settings = settings.aws else { preconditionFailure("settings of another store") }
        let aws = try AWSStorage(
            settings, environment: ProcessInfo.processInfo.environment, time: time, logger: logger)
        for metric in aws.requestCounts { registry.observeCalls(metric.name, metric.counts) }
        do throws(StoreError) {
            try await Deadline.with(time.uptime() + .seconds(5)) { () async throws(StoreError) in
                try await aws.store.check()
            }
        } catch {
            // What is only out of reach now may be there when the first request comes; what answers something other
            // than AWS's form is another service.
            guard error.code == .unavailable else { throw error }
            logger.warning("the store does not answer yet", metadata: ["error": "\(error.message)"])
        }
        return Storage(
            table: aws.store, segments: CachingSegmentStore(aws.store, bytesMaximum: 8 * 1024 * 1024),
            time: aws.connection.clock, configuration: aws.logConfiguration,
            description: "bucket \(settings.store.bucket), table \(settings.store.table)")
    }

    // MARK: Words

    /// The host as it stands in an address that works on this machine.
    private var reachableHost: String {
        switch settings.host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "[::1]"
        case let host where host.contains(":"): "[\(host)]"
        case let host: host
        }
    }

    private func announceReady(port: Int, _ storage: String) {
        logger.info(
            "ready",
            metadata: [
                "address": "\(settings.host):\(port)", "store": "\(settings.store.rawValue)", "data": "\(storage)",
            ])
        let url = "http://\(reachableHost):\(port)"
        let text = """
            Serverless Streams is ready at \(url)
            Data: \(storage)

            Append a message, then read it back:

              curl \(url)/topics/orders/produce --json '{"payload": {"id": 1, "item": "tea"}}'
              curl "\(url)/topics/orders/consume?offset=1"

            Ctrl-C stops it.

            """
        Terminal.output(Array(text.utf8))
    }
}
