import Foundation
import SocketTesting
import StreamsAWS
import StreamsTesting
import Testing

/// Real processes over an emulator, a new one on a new bucket and table for each check.
@Suite("Over a bucket and a table", .serialized, .timeLimit(.minutes(15)))
struct FrontConformanceTests {
    @Test("the server keeps the contract of the HTTP API", arguments: HTTPConformance.checks)
    private func server(check: HTTPConformance.Check) async throws {
        let emulator = try await EmulatedAWS.ministack.value
        try await HTTPConformance { body in
            let (store, environment) = try await emulator.makeStore()
            let server = try ChildProcess(
                Checkout.binary("streams", variable: "STREAMS_BINARY"), ["serve", "--store", "aws", "--port", "0"],
                environment: environment)
            let ready = "Serverless Streams is ready at http://127.0.0.1:"
            let line = try await server.line(beginningWith: ready)
            let port = try #require(Int(line.dropFirst(ready.count)))
            let result = await Self.run(body, store, port: port)
            await server.end()
            try result.get()
        }.run(check)
    }

    /// Answers are streamed, so that event streams go on as they do with the server.
    @Test("the Lambda function keeps the contract of the HTTP API", arguments: HTTPConformance.checks)
    private func lambda(check: HTTPConformance.Check) async throws {
        let emulator = try await EmulatedAWS.ministack.value
        let gateway = try await LambdaGateway.shared.value
        try await HTTPConformance { body in
            let (store, environment) = try await emulator.makeStore()
            let port = try await gateway.start(environment: environment, event: "url", streaming: true)
            let result = await Self.run(body, store, port: port)
            try await gateway.stop(port)
            try result.get()
        }.run(check)
    }

    private static func run(
        _ body: @Sendable (HTTPFront) async throws -> Void, _ store: AWSStore, port: Int, stage: String = ""
    ) async -> Result<Void, any Error> {
        let socket = SocketFront(port: port, stage: stage)
        let front = HTTPFront(
            transport: { try await socket.transport($0) }, openStream: { try await socket.send($0, until: $1) },
            trim: { try await store.moveLowMark(of: $0, to: $1) })
        do {
            return .success(try await body(front))
        } catch {
            return .failure(error)
        }
    }
}
