package import StreamsCore

/// Looks for a smaller world that breaks a promise too: fewer clients, fewer appends, fewer kinds of faults.
package struct Shrinker: Sendable {
    /// The mutant that is active meanwhile.
    private let mutant: Mutant?
    /// How many seeds are tried for each smaller world.
    private let seedsPerStep: Int

    /// Makes a shrinker.
    package init(mutant: Mutant?, seedsPerStep: Int = 60) {
        self.mutant = mutant
        self.seedsPerStep = seedsPerStep
    }

    /// The smallest world found, with its outcome and trace.
    package func shrink(_ scenario: Scenario) throws -> (scenario: Scenario, outcome: World.Outcome)? {
        guard var best = try failing(scenario) else { return nil }
        var hasShrunk = true
        while hasShrunk {
            hasShrunk = false
            for candidate in smaller(best.scenario) {
                guard let found = try firstFailing(candidate), found.outcome.trace.count < best.outcome.trace.count
                else {
                    continue
                }
                best = found
                hasShrunk = true
                break
            }
        }
        return best
    }

    private func firstFailing(_ scenario: Scenario) throws -> (scenario: Scenario, outcome: World.Outcome)? {
        var best: (scenario: Scenario, outcome: World.Outcome)?
        for step in 0..<seedsPerStep {
            var scenario = scenario
            scenario.seed &+= UInt64(step) &* 0x9E37_79B9
            guard let found = try failing(scenario) else { continue }
            if found.outcome.trace.count < best?.outcome.trace.count ?? .max { best = found }
        }
        return best
    }

    private func failing(_ scenario: Scenario) throws -> (scenario: Scenario, outcome: World.Outcome)? {
        let outcome = try Campaign.world(scenario, mutant: mutant, keepsTrace: true)
        return outcome.violations.isEmpty ? nil : (scenario, outcome)
    }

    /// Worlds that are smaller in one respect.
    private func smaller(_ scenario: Scenario) -> [Scenario] {
        var candidates: [Scenario] = []
        func add(_ change: (inout Scenario) -> Void) {
            var candidate = scenario
            change(&candidate)
            candidates.append(candidate)
        }
        for fault in scenario.faults.permille.keys.sorted() { add { $0.faults = $0.faults.without([fault]) } }
        if scenario.writerCount > 1 { add { $0.writerCount -= 1 } }
        if scenario.readerCount > 0 { add { $0.readerCount -= 1 } }
        if scenario.appendsPerWriter > 1 { add { $0.appendsPerWriter -= 1 } }
        if scenario.processCount > 1 { add { $0.processCount -= 1 } }
        if scenario.batchMaximum > 1 { add { $0.batchMaximum -= 1 } }
        if scenario.pageMaximum < 1000 { add { $0.pageMaximum = 1000 } }
        if scenario.absencePermille > 0 { add { $0.absencePermille = 0 } }
        return candidates
    }
}
