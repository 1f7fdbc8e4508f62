import StreamsTesting
import Testing

/// The same contract as the server's, through events in and answers out.
///
/// Two things differ, both in the front's own words: streams that are not streamed are read in pieces, and bodies that
/// are not UTF-8 come as base64. One check after another: many at once would measure the machine.
@Suite("The HTTP API through Lambda events", .serialized)
struct LambdaConformanceTests {
    @Test("keeps its contract with events of a REST API", arguments: HTTPConformance.checks)
    private func rest(check: HTTPConformance.Check) async throws {
        try await HTTPConformance { body in
            try await LambdaFront.with(.rest) { try await body($0.front) }
        }.run(check)
    }

    @Test("keeps its contract with events of an HTTP API", arguments: HTTPConformance.checks)
    private func http(check: HTTPConformance.Check) async throws {
        try await HTTPConformance { body in
            try await LambdaFront.with(.http) { try await body($0.front) }
        }.run(check)
    }

    @Test("keeps its contract with streamed answers", arguments: HTTPConformance.checks)
    private func streaming(check: HTTPConformance.Check) async throws {
        try await HTTPConformance { body in
            try await LambdaFront.with(.restStreaming) { try await body($0.front) }
        }.run(check)
    }
}
