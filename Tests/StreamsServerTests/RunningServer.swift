import CoreMetrics
import HTTPTypes
import Logging
import ServiceLifecycle
import SocketTesting
import StreamsCore
import StreamsHTTP
import StreamsMetrics
import StreamsModel
import StreamsTesting

@testable import StreamsServer

/// The server on a free port, over a log in memory.
struct RunningServer: Sendable {
    /// What a test may choose.
    struct Settings: Sendable {
        var timeouts = ConnectionTimeouts()
        var eventStreamHeartbeat: Duration = .seconds(15)
    }

    let port: Int
    let log: Log
    let store: InMemoryStore
    let registry: PrometheusRegistry
    private let group: ServiceGroup

    /// Runs the body with a server, and shuts the server down afterwards.
    static func with(
        _ settings: Settings = Settings(), _ body: @escaping @Sendable (RunningServer) async throws -> Void
    ) async throws {
        let store = InMemoryStore()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let log = Log(
            table: store, segments: store, time: SystemTime(), makeAppendID: AppendID.random, logger: logger)
        let registry = PrometheusRegistry()
        var configuration = StreamsHandler.Configuration(storeName: "memory", version: "1.2.3")
        configuration.eventStreamHeartbeat = settings.eventStreamHeartbeat
        var http = HTTPService.Configuration(port: 0)
        http.timeouts = settings.timeouts
        let (ports, portsInput) = AsyncStream<Int>.makeStream()
        let service = HTTPService(
            handler: StreamsHandler(log: log, configuration: configuration) { registry.text }, configuration: http,
            metrics: RequestMetrics(factory: registry), logger: logger
        ) { portsInput.yield($0) }
        let services: [any Service] = [
            HTTPService.besideConnections(run: { await log.run() }, close: { log.close() }), service,
        ]
        let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                defer { portsInput.finish() }
                try await group.run()
            }
            for await port in ports {
                let server = RunningServer(port: port, log: log, store: store, registry: registry, group: group)
                tasks.addTask {
                    let outcome: Result<Void, any Error>
                    do { outcome = .success(try await body(server)) } catch { outcome = .failure(error) }
                    await server.shutDown()
                    try outcome.get()
                }
                break
            }
            try await tasks.waitForAll()
        }
    }

    /// Begins a graceful shutdown.
    func shutDown() async {
        await group.triggerGracefulShutdown()
    }
}

extension RunningServer {
    /// The front for the conformance suite.
    var front: HTTPFront {
        let socket = SocketFront(port: port)
        return HTTPFront(
            transport: { try await socket.transport($0) }, openStream: { try await socket.send($0, until: $1) },
            trim: { store.trim($0, before: $1) })
    }
}
