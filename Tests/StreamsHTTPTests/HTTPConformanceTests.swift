import HTTPTypes
import StreamsHTTP
import StreamsTesting
import Testing

@Suite("The HTTP API in the process")
struct HTTPConformanceTests {
    @Test("keeps its contract", arguments: HTTPConformance.checks)
    private func conforms(check: HTTPConformance.Check) async throws {
        try await HTTPConformance(withFront: withFront).run(check)
    }

    @Sendable
    private func withFront(_ body: @Sendable (HTTPFront) async throws -> Void) async throws {
        try await InProcessAPI.with { api in try await body(api.front) }
    }
}
