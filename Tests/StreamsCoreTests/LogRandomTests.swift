import Foundation
@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

/// Many small rounds of writers and readers over a store that fails at random.
///
/// `LOG_SEED` repeats one round (its faults and loads, though not the order of its tasks), `LOG_ROUNDS` sets how many.
@Suite("Two logs over one store that fails at random", .timeLimit(.minutes(5)))
struct LogRandomTests {
    @Test("keep their promises")
    func promises() async throws {
        let environment = ProcessInfo.processInfo.environment
        let base = environment["LOG_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...UInt64.max)
        let rounds = environment["LOG_ROUNDS"].flatMap(Int.init) ?? 40
        print("random rounds of the log: LOG_SEED=\(base)")
        var seen = Counts()
        for round in 0..<rounds {
            let seed = base &+ UInt64(round)
            let (violations, counts) = try await LogRound(seed: seed).run()
            seen.add(counts)
            #expect(violations.isEmpty, "LOG_SEED=\(seed) LOG_ROUNDS=1")
            guard violations.isEmpty else { return }
        }
        print("random rounds of the log: \(seen)")
        // Where nothing went wrong, or nothing went well, nothing was shown.
        #expect(rounds < 40 || (seen.acknowledged > 0 && seen.refused > 0 && seen.unknown > 0))
        #expect(rounds < 40 || (seen.reclaims > 0 && seen.fillers > 0))
    }

    @Test("without faults acknowledge everything")
    func withoutFaults() async throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            let (violations, counts) = try await LogRound(seed: seed, faultPercent: 0).run()
            #expect(violations.isEmpty)
            #expect(counts.refused == 0 && counts.unknown == 0)
        }
    }
}

/// What happened in rounds.
struct Counts: Sendable {
    var acknowledged = 0
    var refused = 0
    var unknown = 0
    var reclaims = 0
    var fillers = 0

    mutating func add(_ other: Counts) {
        acknowledged += other.acknowledged
        refused += other.refused
        unknown += other.unknown
        reclaims += other.reclaims
        fillers += other.fillers
    }
}

/// One round: three writers, two readers, two logs.
private struct LogRound {
    let seed: UInt64
    let faultPercent: Int
    let laboratory: Laboratory
    let logs: [Log]

    init(seed: UInt64, faultPercent: Int? = nil) throws {
        var random = SplitMix64(seed: seed)
        self.seed = seed
        self.faultPercent = faultPercent ?? [10, 30, 50][random.next(below: 3)]
        laboratory = try Laboratory(keysPerList: 1 + random.next(below: 5))
        // Impatient readers, so that fillers often beat writers; short deadlines, so that writers often give up.
        // Without faults only patience is left to be shown: virtual time may pass between any two steps.
        let isPatient = self.faultPercent == 0
        let holeTimeouts: [Duration] =
            isPatient ? [.seconds(3600)] : [.milliseconds(1), .milliseconds(50), .seconds(5)]
        let holeTimeout = holeTimeouts[random.next(below: holeTimeouts.count)]
        let appendTimeouts: [Duration] = isPatient ? [.seconds(3600)] : [.milliseconds(100), .seconds(2), .seconds(10)]
        let appendTimeout = appendTimeouts[random.next(below: appendTimeouts.count)]
        logs = [0, 1].map { [laboratory] _ in
            laboratory.makeLog {
                $0.holeTimeout = holeTimeout
                $0.holeRecheckInterval = .milliseconds(100)
                $0.appendTimeout = appendTimeout
                $0.tailPollInterval = .milliseconds(100)...(.milliseconds(100))
            }
        }
        if self.faultPercent > 0 { plan(SplitMix64(seed: seed ^ 0xFA17)) }
    }

    /// Faults that leave the store a store: refused, lost before, lost after, late, and slow.
    private func plan(_ random: SplitMix64) {
        let random = Shared(random)
        let percent = faultPercent
        let store = laboratory.store
        store.plan { call in
            random.change { random in
                guard random.happens(percent: percent) else { return .none }
                switch (call, random.next(below: 5)) {
                case (_, 0): return .refused()
                case (.put, 1), (.put, 2): return .landingLate
                case (_, 1), (_, 2): return .lost
                default: return .answerLost
                }
            }
        }
    }

    func run() async throws -> (violations: [String], counts: Counts) {
        let end = Shared(false)
        var history = LogHistory()
        try await laboratory.running(logs[0], logs[1]) { () async throws in
            try await laboratory.withTimePassing { () async throws in
                try await withThrowingTaskGroup(of: LogHistory.self) { group in
                    for reader in 0..<2 { group.addTask { try await read(logs[reader], until: end) } }
                    group.addTask { try await landLate(until: end) }
                    try await withThrowingTaskGroup(of: LogHistory.self) { writers in
                        for writer in 0..<3 { writers.addTask { try await write(writer, to: logs[writer % 2]) } }
                        for try await part in writers { history.appends += part.appends }
                    }
                    laboratory.store.plan { _ in .none }
                    end.change { $0 = true }
                    for try await part in group { history.readings += part.readings }
                }
            }
        }
        _ = await laboratory.store.landInFlight()
        let truth = try await laboratory.read(laboratory.makeLog()).texts
        return (history.violations(truth: truth), counts(of: history))
    }

    private func write(_ writer: Int, to log: Log) async throws -> LogHistory {
        var random = SplitMix64(seed: seed &* 31 &+ UInt64(writer))
        var history = LogHistory()
        for number in 0..<6 {
            let payloads = (0..<1 + random.next(below: 3)).map { "\(writer)\(number)\($0)" }.map { "1\($0)" }
            let batch = try MessageBatch.of(payloads.map { MessageText($0) })
            let outcome: Result<AppendReceipt, StreamsError>
            do throws(StreamsError) {
                outcome = .success(try await log.append(batch, to: laboratory.topic))
            } catch {
                outcome = .failure(error)
            }
            history.appends.append(LogHistory.Append(writer: writer, payloads: payloads, outcome: outcome))
            for _ in 0..<random.next(below: 20) { await Task.yield() }
        }
        return history
    }

    /// Follows the topic, through all failures, until it has read to an end that no longer moves.
    private func read(_ log: Log, until end: Shared<Bool>) async throws -> LogHistory {
        var reading = LogHistory.Reading()
        var next: Offset = 1
        while true {
            try Task.checkCancellation()
            let isLast = end.value
            guard
                let page = try? await laboratory.read(log, .offset(next), limit: 3, wait: .milliseconds(300))
            else {
                await Task.yield()
                continue
            }
            reading.texts += page.texts
            next = page.next
            if isLast, page.next == page.end { break }
        }
        var history = LogHistory()
        history.readings = [reading]
        return history
    }

    private func landLate(until end: Shared<Bool>) async throws -> LogHistory {
        var random = SplitMix64(seed: seed ^ 0x1A7E)
        while !end.value {
            for _ in 0..<random.next(below: 60) { await Task.yield() }
            let salt = random.next()
            _ = await laboratory.store.landInFlight { segments in
                var order = SplitMix64(seed: salt)
                return segments.indices.shuffled(using: &order)
            }
        }
        return LogHistory()
    }

    private func counts(of history: LogHistory) -> Counts {
        var counts = Counts()
        for append in history.appends {
            switch append.outcome {
            case .success: counts.acknowledged += 1
            case .failure(let error) where error.code == .outcomeUnknown: counts.unknown += 1
            case .failure: counts.refused += 1
            }
        }
        for log in logs {
            counts.reclaims += log.counters.snapshot.reclaims
            counts.fillers += log.counters.snapshot.fillers
        }
        return counts
    }
}
