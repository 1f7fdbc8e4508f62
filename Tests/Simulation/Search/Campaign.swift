package import StreamsCore
import Synchronization

/// Lives many worlds through, on several threads, and sums up.
package struct Campaign: Sendable {
    /// What came of many worlds.
    package struct Report: Sendable {
        /// How many worlds.
        package var worldCount = 0
        /// How many operations of clients they held.
        package var operationCount = 0
        /// How many appends were acknowledged, were not written, and had an unknown outcome.
        package var appends = (acknowledged: 0, refused: 0, unknown: 0)
        /// How many reads were answered.
        package var readCount = 0
        /// How long the worlds took in their own time, in seconds.
        package var virtualSeconds: Int64 = 0
        /// The faults that were met.
        package var faults: [Fault: Int] = [:]
        /// The worlds that broke a promise: the one of the lowest seed first.
        package var failures: [Failure] = []

        /// Nothing yet.
        package init() {}

        mutating func add(_ outcome: World.Outcome, seed: UInt64) {
            worldCount += 1
            operationCount += outcome.history.operationCount
            readCount += outcome.history.reads.count
            virtualSeconds += outcome.duration / 1_000_000
            for append in outcome.history.appends {
                switch append.outcome {
                case .acknowledged: appends.acknowledged += 1
                case .refused: appends.refused += 1
                case .unknown: appends.unknown += 1
                }
            }
            faults.merge(outcome.faults, uniquingKeysWith: +)
            if !outcome.violations.isEmpty { failures.append(Failure(seed: seed, violations: outcome.violations)) }
        }

        mutating func add(_ other: Report) {
            worldCount += other.worldCount
            operationCount += other.operationCount
            readCount += other.readCount
            virtualSeconds += other.virtualSeconds
            appends.acknowledged += other.appends.acknowledged
            appends.refused += other.appends.refused
            appends.unknown += other.appends.unknown
            faults.merge(other.faults, uniquingKeysWith: +)
            failures = (failures + other.failures).sorted { $0.seed < $1.seed }
        }
    }

    /// A world that broke a promise.
    package struct Failure: Sendable {
        /// Its seed.
        package var seed: UInt64
        /// What it broke.
        package var violations: [Violation]
    }

    /// The first seed.
    package var firstSeed: UInt64
    /// Most worlds.
    package var worldMaximum: Int
    /// The wrong variant that the log is to follow, in builds that have them.
    package var mutant: Mutant?
    /// Whether the first failure ends it.
    package var stopsAtFailure = true
    /// On how many threads.
    package var threadCount = 2
    /// How a seed becomes a world.
    package var scenario: @Sendable (UInt64) -> Scenario = { Scenario.drawn(seed: $0) }
    /// Asked before each world whether to go on.
    package var goesOn: @Sendable () -> Bool = { true }

    /// Plans worlds of consecutive seeds.
    package init(firstSeed: UInt64, worldMaximum: Int, mutant: Mutant? = nil) {
        self.firstSeed = firstSeed
        self.worldMaximum = worldMaximum
        self.mutant = mutant
    }

    /// Lives them through; the threads share the seeds out among them.
    package func run() async throws -> Report {
        let next = Ticket()
        let isOver = OneShotFlag()
        return try await withThrowingTaskGroup(of: Report.self) { group in
            for _ in 0..<threadCount {
                group.addTask {
                    var report = Report()
                    while !isOver.isSet, goesOn() {
                        let index = next.draw()
                        guard index < worldMaximum else { break }
                        let seed = firstSeed &+ UInt64(index)
                        report.add(try Self.world(scenario(seed), mutant: mutant), seed: seed)
                        if stopsAtFailure, !report.failures.isEmpty { isOver.set() }
                    }
                    return report
                }
            }
            var total = Report()
            for try await report in group { total.add(report) }
            return total
        }
    }

    /// Lives one world through under a mutant.
    package static func world(
        _ scenario: Scenario, mutant: Mutant?, keepsTrace: Bool = false
    ) throws -> World.Outcome {
        try Mutant.with(mutant) { try World.run(scenario, keepsTrace: keepsTrace) }
    }
}

/// Gives out numbers from 0, each once.
private final class Ticket: Sendable {
    private let next = Mutex(0)

    func draw() -> Int {
        next.withLock { next in
            defer { next += 1 }
            return next
        }
    }
}

extension Mutant {
    /// Whether this build has mutants at all.
    package static var areThere: Bool {
        #if MUTANTS
            true
        #else
            false
        #endif
    }

    /// Does something while a mutant is active; without one, as the build is.
    package static func with<Value>(_ mutant: Mutant?, _ body: () throws -> Value) rethrows -> Value {
        guard let mutant else { return try body() }
        #if MUTANTS
            return try Mutant.$active.withValue(mutant, operation: body)
        #else
            preconditionFailure("mutants are in builds for debugging only")
        #endif
    }
}
