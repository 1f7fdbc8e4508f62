import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization

/// A simulated world: processes with the real log, a network, S3, DynamoDB, clients; and what came of it.
///
/// One thread, virtual time; equal scenarios give equal runs.
package final class World: Sendable {
    /// What came of a world.
    package struct Outcome: Sendable {
        /// What clients saw.
        package var history: History
        /// What is wrong with it.
        package var violations: [Violation]
        /// The faults that were met.
        package var faults: [Fault: Int]
        /// What happened, where a trace was asked for.
        package var trace: [String]
        /// How long it took in its own time, in microseconds.
        package var duration: Int64
    }

    let scenario: Scenario
    let network: Network
    let recorder: Recorder
    let topic: TopicName
    let groupKey: GroupKey
    let places: [Place]
    /// Whether all is over, and processes are to end.
    let isOver = OneShotFlag()
    /// Whether all writers have made their appends.
    let areWritersDone = OneShotFlag()
    let appendIDs: AppendIDs

    var scheduler: Scheduler { network.scheduler }
    var choices: Choices { network.choices }
    var trace: Trace { network.trace }
    /// Whether two objects may cover one offset: a maintainer may die between its write and its deletes.
    var mayOverlap: Bool { !scenario.maintainers.isEmpty || scenario.story.map(Story.ofMerging.contains) ?? false }
    var s3: SimulatedS3 { network.s3 }
    var dynamoDB: SimulatedDynamoDB { network.dynamoDB }
    /// Whether faults have ended.
    var isCalm: Bool { network.isCalm }
    /// Whether the topic's item was lost or set back.
    var wasItemLost: Bool { network.itemLostAt != nil }

    init(_ scenario: Scenario, gate: RequestGate?, keepsTrace: Bool) throws {
        self.scenario = scenario
        network = Network(scenario, gate: gate, keepsTrace: keepsTrace)
        topic = try TopicName("t")
        groupKey = GroupKey(topic: topic, name: try GroupName("g"))
        recorder = Recorder(network.scheduler, network.trace)
        places = (0..<scenario.processCount).map { Place(number: $0) }
        appendIDs = AppendIDs(seed: scenario.seed ^ 0x1D)
        // What stands still hears of nothing, and nobody is told the end of a topic whose item was lost.
        // Topics of many appends take long to list where pages hold one key.
        let isHeardSoon = ![.freeze, .throttling, .lostItem].contains { scenario.faults.has($0) }
        if isHeardSoon, scenario.writing == .plain { recorder.expectWakeUps() }
        if let retentionDays = scenario.retentionDays {
            // A claim near to midnight counts for the day before, and a day counts no more a while before it ends.
            recorder.keep(atLeast: Int64(retentionDays) * 86_400_000_000 - 33 * 60_000_000)
        }
    }

    /// Lives a world through and checks it.
    package static func run(_ scenario: Scenario, keepsTrace: Bool = false) throws -> Outcome {
        try run(scenario, gate: nil, keepsTrace: keepsTrace)
    }

    /// Lives a world through in which every request waits for a decision.
    static func run(_ scenario: Scenario, gate: RequestGate?, keepsTrace: Bool) throws -> Outcome {
        let world = try World(scenario, gate: gate, keepsTrace: keepsTrace)
        gate?.guardNetwork(of: world)
        return world.live()
    }

    func live() -> Outcome {
        // What has not happened by then holds on to the world.
        defer { scheduler.end() }
        let end = OneShotFlag()
        _ = Task(executorPreference: scheduler) {
            await self.story()
            end.set()
        }
        switch scheduler.run(until: { end.isSet }) {
        case .done: break
        case .stuck: recorder.surprise("nothing moves any more")
        case .endless: recorder.surprise("something goes round for ever")
        }
        var history = recorder.history
        history.wasItemLost = wasItemLost
        var violations = HistoryChecker.violations(in: history)
        violations += branchViolations()
        if scenario.isFaultless, network.gate == nil, scenario.story == nil { violations += Self.failures(in: history) }
        return Outcome(
            history: history, violations: violations, faults: network.counts.snapshot, trace: trace.lines,
            duration: scheduler.now)
    }

    /// Where nothing goes wrong, nothing fails.
    private static func failures(in history: History) -> [Violation] {
        history.appends.compactMap { append in
            if case .acknowledged = append.outcome { return nil }
            // A condition that does not hold is no failure.
            if append.wish != History.Wish() { return nil }
            return Violation(.live, "\(append.client) failed to append \(append.messages), and nothing was wrong")
        }
    }
}

/// Draws the ids of appends; processes hold it, and not the world.
final class AppendIDs: Sendable {
    private let random: Mutex<SplitMix64>

    init(seed: UInt64) {
        random = Mutex(SplitMix64(seed: seed))
    }

    func next() -> AppendID {
        random.withLock { AppendID(high: $0.next(), low: $0.next()) }
    }
}

/// Whether something has happened.
final class OneShotFlag: Sendable {
    private let flag = Mutex(false)

    var isSet: Bool { flag.withLock { $0 } }

    func set() { flag.withLock { $0 = true } }
}

/// Where a process runs, again and again.
final class Place: Sendable {
    let number: Int
    private let state = Mutex<(process: SimulatedProcess?, starts: Int)>((nil, 0))

    init(number: Int) {
        self.number = number
    }

    /// The process that runs there now; `nil` where none does.
    var process: SimulatedProcess? {
        guard let process = state.withLock({ $0.process }), process.isAlive else { return nil }
        return process
    }

    /// The name of the next process: `A1`, then `A2`.
    func nextName() -> String {
        let starts = state.withLock { state in
            state.starts += 1
            return state.starts
        }
        return "\(Character(UnicodeScalar(UInt8(ascii: "A") + UInt8(number))))\(starts)"
    }

    func set(_ process: SimulatedProcess) {
        state.withLock { $0.process = process }
    }
}
