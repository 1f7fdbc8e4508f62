import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A gateway with Lambda's Runtime API, in a process of its own, that runs real `bootstrap` processes.
struct LambdaGateway: Sendable {
    private let port: Int
    private let process: ChildProcess

    /// One for all tests of a run.
    static let shared = Task { try await LambdaGateway() }

    private struct Port: Codable {
        var port: Int
    }

    private struct Function: Encodable {
        var command: [String]
        var environment: [String: String]
        var event: String
        var streaming: Bool
        var concurrency = 4
    }

    private init() async throws {
        process = try ChildProcess(".venv/bin/python", ["-B", "Tests/Integration/lambda_gateway.py"])
        let line = try await process.line(beginningWith: "{")
        port = try JSONDecoder().decode(Port.self, from: Data(line.utf8)).port
    }

    /// Starts a function; returns the port of what stands in front of it.
    func start(environment: [String: String], event: String, streaming: Bool) async throws -> Int {
        var environment = environment
        if streaming { environment["STREAMS_RESPONSE_STREAMING"] = "true" }
        let function = Function(
            command: [Checkout.binary("bootstrap", variable: "STREAMS_BOOTSTRAP")], environment: environment,
            event: event, streaming: streaming)
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/_functions")
        request.method = .POST
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(function)))
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1024 * 1024)
        return try JSONDecoder().decode(Port.self, from: Data(body.readableBytesView)).port
    }

    /// Ends a function.
    func stop(_ function: Int) async throws {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/_functions/\(function)")
        request.method = .DELETE
        _ = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    }
}
