import AsyncHTTPClient
import CoreMetrics
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
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
            table: store, segments: store, time: SystemTime(),
            makeAppendID: {
                var generator = SystemRandomNumberGenerator()
                return AppendID(using: &generator)
            }, logger: logger)
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
        HTTPFront(
            transport: { request in
                // AsyncHTTPClient may lose an answer that comes while it still sends.
                if request.body.count > 5 * 1024 * 1024 { return try await sendRaw(request) }
                return try await isCarriedExactly(request.target)
                    ? send(request) { _ in false } : sendRaw(request)
            },
            openStream: { try await send($0, until: $1) },
            trim: { store.trim($0, before: $1) })
    }

    /// Sends a request with AsyncHTTPClient.
    func send(
        _ request: APIRequest, until isEnough: @escaping HTTPFront.StreamCondition
    ) async throws -> HTTPAnswer {
        var message = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(request.target)")
        message.method = HTTPMethod(rawValue: request.method.rawValue)
        for field in request.headers { message.headers.add(name: field.name.rawName, value: field.value) }
        if !request.body.isEmpty { message.body = .bytes(ByteBuffer(bytes: request.body)) }
        let response = try await HTTPClient.shared.execute(message, timeout: .seconds(30))
        var answer = HTTPAnswer(
            status: HTTPResponse.Status(code: Int(response.status.code)), headers: HTTPFields(), body: [])
        for (name, value) in response.headers {
            guard let name = HTTPField.Name(name) else { continue }
            answer.headers.append(HTTPField(name: name, value: value))
        }
        for try await part in response.body {
            answer.body.append(contentsOf: part.readableBytesView)
            if try await isEnough(answer.body) { break }
        }
        return answer
    }

    /// Whether a URL keeps the target as it is: escapes well-formed and of ASCII, no dot segments, no fragment.
    private func isCarriedExactly(_ target: String) -> Bool {
        let isWellFormed = target.wholeMatch(of: #/(?:[A-Za-z0-9._~/?&=:+*,;!$'()@-]|%[0-7][0-9A-Fa-f])*/#) != nil
        let path = target.prefix { $0 != "?" }.split(separator: "/").map { $0.replacing("%2E", with: ".") }
        return isWellFormed && !path.contains { ["." as Substring, "..", "%2e.", "%2e"].contains($0) }
            && !target.hasPrefix("//")
    }

    /// Sends a request whose target no URL can hold.
    private func sendRaw(_ request: APIRequest) async throws -> HTTPAnswer {
        var head = "\(request.method) \(request.target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for field in request.headers { head += "\(field.name): \(field.value)\r\n" }
        head += "Content-Length: \(request.body.count)\r\n\r\n"
        let bytes = Array(head.utf8) + request.body
        return try await RawConnection.open(port) { connection in
            try await connection.send(bytes)
            var received = try await connection.receiveAll()
            return try RawAnswer(takenFrom: &received, isHead: request.method == .head).answer
        }
    }
}
