import ArgumentParser
import Dispatch
import Foundation
import Simulation
import StreamsCore
import Synchronization

/// The command line of the simulation; `Tests/Simulation/README.md` says what it does.
@main
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "The real log in simulated worlds that go wrong.",
        subcommands: [Worlds.self, Replay.self, Explore.self, Mutants.self], defaultSubcommand: Worlds.self)
}

/// What all subcommands share.
struct MutantOption: ParsableArguments {
    @Option(help: "A wrong variant of the protocol to follow (builds for debugging only).")
    var mutant: Mutant?

    func validate() throws {
        if mutant != nil, !Mutant.areThere {
            throw ValidationError("This build has no mutants: build it for debugging.")
        }
    }
}

extension Mutant: ExpressibleByArgument {}

extension Climate: ExpressibleByArgument {}

/// Lives worlds of consecutive seeds through.
struct Worlds: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Live many worlds through, and sum up.")

    @Option(help: "The first seed.") var seed: UInt64 = 1
    @Option(help: "How many worlds.") var worlds = 1000
    @Option(help: "For how many minutes instead.") var minutes: Double?
    @Option(help: "On how many threads.") var threads = 2
    @Option(help: "Where to write the summary as JSON.") var json: String?
    @Flag(help: "Go on after a broken promise.") var keepGoing = false
    @Option(help: "What goes wrong for the most part; anything where none is named.") var climate: Climate?
    @OptionGroup var wrong: MutantOption

    func run() async throws {
        var campaign = Campaign(firstSeed: seed, worldMaximum: minutes == nil ? worlds : .max, mutant: wrong.mutant)
        campaign.threadCount = threads
        campaign.scenario = { [climate] in .drawn(seed: $0, climate: climate) }
        campaign.stopsAtFailure = !keepGoing
        let start = ContinuousClock.now
        let end = minutes.map { start + .seconds($0 * 60) }
        let interruption = Interruption()
        let listener = interruption.listen()
        defer { listener.cancel() }
        campaign.goesOn = { !interruption.hasCome && end.map { ContinuousClock.now < $0 } ?? true }
        let report = try await campaign.run()
        let seconds = Double((ContinuousClock.now - start).components.seconds)
        print(report.text(seconds: seconds))
        if let json {
            try report.json(seconds: seconds, firstSeed: seed).write(toFile: json, atomically: true, encoding: .utf8)
        }
        for failure in report.failures.prefix(keepGoing ? 50 : 5) {
            print("\nseed \(failure.seed) breaks a promise:")
            for violation in failure.violations.prefix(5) { print("  \(violation)") }
            print("replay: \(Replay.command(seed: failure.seed, climate: climate, mutant: wrong.mutant))")
        }
        if !report.failures.isEmpty { throw ExitCode.failure }
    }
}

/// Whether somebody asked the program to end: it then sums up what it has.
final class Interruption: Sendable {
    private let flag = Mutex(false)

    var hasCome: Bool { flag.withLock { $0 } }

    /// Listens for Ctrl-C as long as what it returns is kept.
    func listen() -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { self.flag.withLock { $0 = true } }
        source.resume()
        return source
    }
}

/// Shows one world.
struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Live one world through, and print what happens in it.")

    @Argument(help: "The seed.") var seed: UInt64
    @Flag(help: "Look for a smaller world that breaks a promise too.") var shrink = false
    @Option(help: "What goes wrong for the most part, where the world was drawn for that.") var climate: Climate?
    @OptionGroup var wrong: MutantOption

    static func command(seed: UInt64, climate: Climate?, mutant: Mutant?) -> String {
        "swift run simulate replay \(seed)" + (climate.map { " --climate \($0.rawValue)" } ?? "")
            + (mutant.map { " --mutant \($0.rawValue)" } ?? "")
    }

    func run() async throws {
        let scenario = Scenario.drawn(seed: seed, climate: climate)
        var outcome = try Campaign.world(scenario, mutant: wrong.mutant, keepsTrace: true)
        if shrink, let smaller = try Shrinker(mutant: wrong.mutant).shrink(scenario) { outcome = smaller.outcome }
        print(outcome.trace.joined(separator: "\n"))
        for violation in outcome.violations { print("(!) \(violation)") }
        if !outcome.violations.isEmpty { throw ExitCode.failure }
        print("\(outcome.history.operationCount) operations; nothing is wrong with them.")
    }
}

/// Goes through all schedules of small worlds.
struct Explore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Go through every schedule of small worlds, up to some number of deviations.")

    @Option(help: "Most decisions that differ from the plain schedule.") var deviations = 2
    @Option(help: "Most schedules of each world.") var schedules = 20_000
    @OptionGroup var wrong: MutantOption

    func run() async throws {
        for (name, scenario) in Scenario.smallWorlds {
            let start = ContinuousClock.now
            let explorer = Explorer(scenario, deviationMaximum: deviations, scheduleMaximum: schedules)
            let report = try Mutant.with(wrong.mutant) { try explorer.explore() }
            let bounds = report.isComplete ? "all within the bounds" : "not all"
            print("\(name): \(report.scheduleCount) schedules (\(bounds)), \(ContinuousClock.now - start)")
            guard let finding = report.finding else { continue }
            let (outcome, _) = try Mutant.with(wrong.mutant) { try explorer.run(finding.script, keepsTrace: true) }
            print(outcome.trace.joined(separator: "\n"))
            for violation in finding.violations { print("(!) \(violation)") }
            throw ExitCode.failure
        }
    }
}

/// Looks how soon each mutant is caught.
struct Mutants: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Look how soon each wrong variant is caught.")

    @Option(help: "The first seed.") var seed: UInt64 = 1
    @Option(help: "Most worlds for each.") var worlds = 5000
    @Option(help: "What goes wrong for the most part; anything where none is named.") var climate: Climate?
    @Argument(help: "Which; all where none is named.") var mutants: [Mutant] = []

    func run() async throws {
        guard Mutant.areThere else { throw ValidationError("This build has no mutants: build it for debugging.") }
        var survivors = 0
        for mutant in mutants.isEmpty ? Mutant.allCases : mutants {
            let start = ContinuousClock.now
            var campaign = Campaign(firstSeed: seed, worldMaximum: worlds, mutant: mutant)
            campaign.scenario = { [climate] in .drawn(seed: $0, climate: climate) }
            let report = try await campaign.run()
            let time = ContinuousClock.now - start
            if let failure = report.failures.first {
                print("\(mutant.rawValue): seed \(failure.seed), \(time): \(failure.violations[0])")
            } else {
                survivors += 1
                print("\(mutant.rawValue): SURVIVES \(report.worldCount) worlds, \(time)")
            }
        }
        if survivors > 0 { throw ExitCode.failure }
    }
}

extension Campaign.Report {
    func text(seconds: Double) -> String {
        let met = faults.sorted { $0.key < $1.key }.map { "\($0.key.rawValue) \($0.value)" }.joined(separator: ", ")
        return """
            \(worldCount) worlds, \(virtualSeconds / 3600) hours of their own time, in \(Int(seconds)) s
            \(operationCount) operations: appends \(appends.acknowledged) acknowledged, \(appends.refused) not written, \
            \(appends.unknown) of unknown outcome; \(readCount) reads
            faults: \(met)
            \(failures.isEmpty ? "no promise was broken" : "\(failures.count) worlds broke a promise")
            """
    }

    func json(seconds: Double, firstSeed: UInt64) -> String {
        let met = faults.sorted { $0.key < $1.key }.map { "\"\($0.key.rawValue)\": \($0.value)" }.joined(
            separator: ", ")
        let seeds = failures.map { "\"seed \($0.seed)\"" }.joined(separator: ", ")
        return """
            {"seconds": \(seconds), "seed": \(firstSeed), "worlds": \(worldCount), "virtual_hours": \(virtualSeconds / 3600),
             "operations": \(operationCount), "acknowledged": \(appends.acknowledged), "refused": \(appends.refused),
             "unknown": \(appends.unknown), "reads": \(readCount), "faults": {\(met)}, "violations": [\(seeds)]}

            """
    }
}
