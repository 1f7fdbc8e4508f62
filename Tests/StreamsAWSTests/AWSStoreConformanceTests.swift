import StreamsAWS
import StreamsCore
import StreamsTesting
import Testing

private typealias Conformance = PortConformance<AWSStore>

/// Over HTTP, signed, as on AWS.
@Suite("The store on AWS", .serialized, .timeLimit(.minutes(5)))
struct AWSStoreConformanceTests {
    @Test("keeps the promises of the ports on MiniStack", arguments: Conformance.checks + Conformance.mergingChecks)
    private func conforms(check: Conformance.Check) async throws {
        let emulator = try await EmulatedAWS.ministack.value
        try await Conformance(now: SystemTime().now()) { try await emulator.makeStore().store }.run(check)
    }
}

/// One check after another: moto answers a few hundred requests in a second, one at a time.
@Suite("The store on AWS, in another's opinion", .serialized, .timeLimit(.minutes(5)))
struct AWSStoreSecondOpinionTests {
    @Test("keeps the promises of the ports on moto", arguments: Conformance.checks + Conformance.mergingChecks)
    private func conformsOnMoto(check: Conformance.Check) async throws {
        let emulator = try await EmulatedAWS.moto.value
        try await Conformance(now: SystemTime().now()) { try await emulator.makeStore().store }.run(check)
    }
}
