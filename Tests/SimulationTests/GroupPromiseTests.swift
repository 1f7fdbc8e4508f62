import Simulation
import Testing

/// Consumer groups over the real store, in many simulated worlds that go wrong.
@Suite("In simulated worlds with a consumer group", .serialized, .timeLimit(.minutes(15)))
struct GroupPromiseTests {
    private static let worldCount = 500

    @Test("the group keeps its promises, world by world")
    func promises() async throws {
        var campaign = Campaign(firstSeed: 1, worldMaximum: Self.worldCount)
        campaign.scenario = { .drawn(seed: $0, climate: .grouped) }
        let report = try await campaign.run()
        print("\(report.worldCount) worlds with a group: \(report.appends), \(report.operationCount) operations")
        for failure in report.failures {
            Issue.record(
                """
                seed \(failure.seed) breaks promises: \(failure.violations.map(\.description))
                replay: swift run simulate replay \(failure.seed) --climate grouped
                """)
        }
        #expect(report.operationCount > 10 * report.worldCount)
    }
}
