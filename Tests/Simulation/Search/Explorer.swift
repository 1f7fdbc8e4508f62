/// Goes through the schedules of a small world one by one: every run that differs from the plain one by so many
/// decisions.
///
/// Bounded search without states (P. Godefroid, "Model checking for programming languages using VeriSoft", POPL 1997),
/// bounded by deviations from one deterministic schedule (M. Emmi, S. Qadeer, Z. Rakamarić, "Delay-bounded scheduling",
/// POPL 2011). Those with fewer come first, so that the first violation found has a short story.
package struct Explorer: Sendable {
    /// What was gone through.
    package struct Report: Sendable {
        /// How many different schedules.
        package var scheduleCount = 0
        /// How many operations of clients they held.
        package var operationCount = 0
        /// Whether every schedule within the bounds was gone through.
        package var isComplete = true
        /// The decisions of the first run that broke a promise, and what it broke.
        package var finding: (script: [Int], violations: [Violation])?

        /// Nothing yet.
        package init() {}
    }

    /// The world.
    package var scenario: Scenario
    /// Most decisions that differ from the plain schedule.
    package var deviationMaximum: Int
    /// Most runs.
    package var scheduleMaximum: Int

    /// Makes an explorer.
    package init(_ scenario: Scenario, deviationMaximum: Int, scheduleMaximum: Int = .max) {
        self.scenario = scenario
        self.deviationMaximum = deviationMaximum
        self.scheduleMaximum = scheduleMaximum
    }

    /// Goes through all schedules, or up to the first violation.
    package func explore() throws -> Report {
        var report = Report()
        var level: [[Int]] = [[]]
        for deviations in 0...deviationMaximum {
            var next: [[Int]] = []
            for script in level {
                guard report.scheduleCount < scheduleMaximum else {
                    report.isComplete = false
                    return report
                }
                let (outcome, decisions) = try run(script)
                report.scheduleCount += 1
                report.operationCount += outcome.history.operationCount
                guard outcome.violations.isEmpty else {
                    report.finding = (script, outcome.violations)
                    return report
                }
                guard deviations < deviationMaximum else { continue }
                // Each schedule is reached in one way only: by its last deviation.
                for place in script.count..<max(decisions.count, script.count) {
                    let before = decisions[..<place].map(\.choice)
                    next += (1..<decisions[place].count).map { before + [$0] }
                }
            }
            level = next
        }
        return report
    }

    /// Runs one schedule.
    package func run(_ script: [Int], keepsTrace: Bool = false) throws -> (World.Outcome, [Choices.Decision]) {
        let choices = Choices(script: script)
        let outcome = try World.run(scenario, gate: RequestGate(choices), keepsTrace: keepsTrace)
        return (outcome, choices.decisions)
    }
}
