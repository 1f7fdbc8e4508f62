package import Logging
package import NIOCore
import NIOHTTP1
import Synchronization

/// The Runtime API over HTTP, as the Lambda environment offers it at `AWS_LAMBDA_RUNTIME_API`.
package final class HTTPRuntimeAPI: RuntimeAPI {
    private static let version = "/2018-06-01/runtime"
    /// A connection that was idle may have ended unseen, so the first try may say nothing about the API.
    private static let triesMaximum = 6

    private let host: String
    private let port: Int
    private let group: any EventLoopGroup
    private let logger: Logger
    private let idle = Mutex<RuntimeConnection?>(nil)

    /// Makes a client; connects when first used.
    ///
    /// - Parameters:
    ///   - address: `host:port`; `nil` is returned where it is neither.
    ///   - group: where the connection lives.
    ///   - logger: told of connections that had to be made anew.
    package init?(address: String, group: any EventLoopGroup, logger: Logger) {
        guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...]),
            (1...65535).contains(port), colon != address.startIndex
        else { return nil }
        self.host = String(address[..<colon])
        self.port = port
        self.group = group
        self.logger = logger
    }

    deinit {
        idle.withLock { $0?.close() }
    }

    // MARK: RuntimeAPI

    package func next() async throws(RuntimeAPIError) -> Invocation {
        let head = head(.GET, "/invocation/next")
        let answer: RuntimeAnswer
        do {
            answer = try await retrying(isCancellable: true) { connection in
                try await connection.cancellableExchange(head)
            }
        } catch {
            if Task.isCancelled { throw RuntimeAPIError(.cancelled, "The wait for an event was cancelled.") }
            throw error
        }
        guard answer.status == 200 else {
            throw RuntimeAPIError(.broken, Self.message(answer, "asking for the next event"))
        }
        guard let id = answer.headers.first(name: "Lambda-Runtime-Aws-Request-Id") else {
            throw RuntimeAPIError(.broken, "The Runtime API gave an event without a request id.")
        }
        let deadline = answer.headers.first(name: "Lambda-Runtime-Deadline-Ms").flatMap { Int64($0) }
        return Invocation(
            id: id, deadlineMilliseconds: deadline ?? .max,
            traceID: answer.headers.first(name: "Lambda-Runtime-Trace-Id"), event: answer.body)
    }

    package func respond(_ body: [UInt8], to id: String) async throws(RuntimeAPIError) {
        try await post("/invocation/\(id)/response", body)
    }

    package func fail(_ failure: InvocationFailure, id: String) async throws(RuntimeAPIError) {
        try await post("/invocation/\(id)/error", failure.document, errorType: failure.type)
    }

    package func failInitialization(_ failure: InvocationFailure) async throws(RuntimeAPIError) {
        try await post("/init/error", failure.document, errorType: failure.type)
    }

    package func stream(
        to id: String, _ produce: @Sendable (any InvocationStream) async throws -> Void
    ) async throws(RuntimeAPIError) {
        var head = head(.POST, "/invocation/\(id)/response")
        head.headers.add(name: "Lambda-Runtime-Function-Response-Mode", value: "streaming")
        head.headers.add(name: "Content-Type", value: "application/vnd.awslambda.http-integration-response")
        head.headers.add(name: "Transfer-Encoding", value: "chunked")
        head.headers.add(
            name: "Trailer", value: "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
        let connection = try await retrying { $0 }
        idle.withLock { $0 = nil }
        let answer = connection.begin(head)
        var trailers: HTTPHeaders?
        do {
            try await produce(StreamOnConnection(connection: connection))
        } catch {
            logger.error("a stream ended with an error", metadata: ["error": "\(error)"])
            trailers = Self.trailers(for: error)
        }
        connection.end(trailers: trailers)
        do {
            try check(try await answer.get(), "sending a stream")
        } catch let error as RuntimeAPIError {
            keep(connection)
            throw error
        } catch {
            throw RuntimeAPIError(.refused, "The connection to the Runtime API ended within a stream: \(error).")
        }
        keep(connection)
    }

    private static func trailers(for error: any Error) -> HTTPHeaders {
        let failure =
            error as? InvocationFailure
            ?? InvocationFailure(type: "Function.StreamBroken", message: "The answer ended early.")
        return [
            "Lambda-Runtime-Function-Error-Type": failure.type,
            "Lambda-Runtime-Function-Error-Body": Base64.encode(failure.document),
        ]
    }

    // MARK: Requests

    private func head(_ method: HTTPMethod, _ path: String) -> HTTPRequestHead {
        let headers: HTTPHeaders = ["Host": "\(host):\(port)", "User-Agent": "serverless-streams"]
        return HTTPRequestHead(version: .http1_1, method: method, uri: Self.version + path, headers: headers)
    }

    private func post(_ path: String, _ body: [UInt8], errorType: String? = nil) async throws(RuntimeAPIError) {
        var head = head(.POST, path)
        head.headers.add(name: "Content-Type", value: "application/json")
        head.headers.add(name: "Content-Length", value: String(body.count))
        if let errorType { head.headers.add(name: "Lambda-Runtime-Function-Error-Type", value: errorType) }
        let complete = head
        let answer = try await retrying { connection in try await connection.exchange(complete, body: body) }
        try check(answer, "sending an answer")
    }

    private func check(_ answer: RuntimeAnswer, _ what: String) throws(RuntimeAPIError) {
        switch answer.status {
        case 200..<300: return
        case 413: throw RuntimeAPIError(.tooLarge, Self.message(answer, what))
        case 400..<500: throw RuntimeAPIError(.refused, Self.message(answer, what))
        default: throw RuntimeAPIError(.broken, Self.message(answer, what))
        }
    }

    private static func message(_ answer: RuntimeAnswer, _ what: String) -> String {
        "The Runtime API answered \(answer.status) to \(what): "
            + String(decoding: answer.body.prefix(300), as: UTF8.self)
    }

    // MARK: Connections

    /// Runs `body` with a connection, and with new ones a few times more where connections fail.
    ///
    /// Repeating is safe: asking for an event again gives the same one, and a second answer to an invocation is refused.
    private func retrying<Value: Sendable>(
        isCancellable: Bool = false, _ body: (RuntimeConnection) async throws -> Value
    ) async throws(RuntimeAPIError) -> Value {
        var tries = 0
        while true {
            var wasIdle = false
            do {
                let connection: RuntimeConnection
                (connection, wasIdle) = try await takeConnection()
                let value = try await body(connection)
                keep(connection)
                return value
            } catch {
                tries += 1
                let isCancelled = isCancellable && Task.isCancelled
                if !isCancelled {
                    logger.debug("a connection to the Runtime API failed", metadata: ["error": "\(error)"])
                }
                guard tries < Self.triesMaximum, !isCancelled else {
                    throw RuntimeAPIError(
                        .unreachable, "The Runtime API at \(host):\(port) does not answer: \(error).")
                }
                if !wasIdle { try? await Task.sleep(for: .milliseconds(10 << tries)) }
            }
        }
    }

    private func takeConnection() async throws -> (RuntimeConnection, wasIdle: Bool) {
        if let connection = idle.withLock({ $0.take() }) {
            if connection.isUsable { return (connection, true) }
            connection.close()
        }
        return (try await RuntimeConnection.open(host: host, port: port, group: group), false)
    }

    private func keep(_ connection: RuntimeConnection) {
        guard connection.isUsable else { return connection.close() }
        idle.withLock { $0 = connection }
    }
}

private struct StreamOnConnection: InvocationStream {
    let connection: RuntimeConnection

    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await connection.write(bytes)
    }
}
