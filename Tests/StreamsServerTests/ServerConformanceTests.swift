import StreamsTesting
import Testing

/// One check after another: each runs a server, and many at once would measure the machine.
@Suite("The server over a socket", .serialized)
struct ServerConformanceTests {
    @Test("keeps the contract of the HTTP API", arguments: HTTPConformance.checks)
    private func conforms(check: HTTPConformance.Check) async throws {
        try await HTTPConformance(withFront: withFront).run(check)
    }

    @Sendable
    private func withFront(_ body: @Sendable (HTTPFront) async throws -> Void) async throws {
        try await withoutActuallyEscaping(body) { body in
            try await RunningServer.with { server in try await body(server.front) }
        }
    }
}
