import Foundation
import Simulation
import Testing

/// The real log, over the real store, in many simulated worlds that go wrong.
///
/// `SIMULATION_SEED` sets the first seed, `SIMULATION_WORLDS` how many.
@Suite("In simulated worlds that go wrong", .serialized, .timeLimit(.minutes(15)))
struct PromiseTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let firstSeed = environment["SIMULATION_SEED"].flatMap(UInt64.init) ?? 1
    private static let worldCount = environment["SIMULATION_WORLDS"].flatMap(Int.init) ?? 20_000

    @Test("the log keeps its promises, world by world")
    func promises() async throws {
        let report = try await Campaign(firstSeed: Self.firstSeed, worldMaximum: Self.worldCount).run()
        print("\(report.worldCount) worlds from seed \(Self.firstSeed): \(report.appends), \(report.readCount) reads")
        print("faults:", report.faults.sorted { $0.key < $1.key }.map { "\($0.key.rawValue) \($0.value)" })
        for failure in report.failures {
            Issue.record(
                """
                seed \(failure.seed) breaks promises: \(failure.violations.map(\.description))
                replay: swift run simulate replay \(failure.seed)
                """)
        }
        guard Self.worldCount >= 2000, report.failures.isEmpty else { return }
        // Where nothing went wrong, or nothing went well, nothing was shown.
        #expect(report.appends.acknowledged > report.worldCount)
        #expect(report.appends.refused > 0 && report.appends.unknown > 0)
        for fault in Fault.allCases { #expect(report.faults[fault, default: 0] > 10, "\(fault) is hardly ever met") }
    }

    @Test(
        "the log keeps its promises where more is done than appending and reading",
        arguments: [
            (Climate.merging, 100), (.toldMerging, 400), (.toldGrouped, 100), (.changing, 400), (.keyed, 400),
            (.keyedExpiring, 300),
            (.contested, 300), (.fenced, 300), (.together, 600),
        ])
    func special(climate: Climate, worldCount: Int) async throws {
        var campaign = Campaign(firstSeed: Self.firstSeed, worldMaximum: worldCount)
        campaign.scenario = { .drawn(seed: $0, climate: climate) }
        let report = try await campaign.run()
        print(
            "\(report.worldCount) worlds of climate \(climate.rawValue): \(report.appends), \(report.readCount) reads")
        for failure in report.failures {
            Issue.record(
                """
                seed \(failure.seed) breaks promises: \(failure.violations.map(\.description))
                replay: swift run simulate replay \(failure.seed) --climate \(climate.rawValue)
                """)
        }
        #expect(report.appends.acknowledged > report.worldCount)
    }

    @Test("the log keeps its promises in every schedule of small worlds", arguments: Scenario.smallWorlds.map(\.name))
    func schedules(name: String) throws {
        let scenario = try #require(Scenario.smallWorlds.first { $0.name == name }).scenario
        let explorer = Explorer(scenario, deviationMaximum: 2, scheduleMaximum: 1500)
        let report = try explorer.explore()
        print("\(name): \(report.scheduleCount) schedules\(report.isComplete ? ", all within the bounds" : "")")
        if let finding = report.finding {
            let (outcome, _) = try explorer.run(finding.script, keepsTrace: true)
            Issue.record("\(finding.violations)\n\(outcome.trace.joined(separator: "\n"))")
        }
        #expect(report.scheduleCount > 200)
    }
}
