@testable import Simulation
import Synchronization
import Testing

@Suite("The scheduler of simulated worlds")
struct EngineTests {
    private func run(
        seed: UInt64 = 1, _ body: @escaping @Sendable (Scheduler, Notes) async -> Void
    ) -> (end: Scheduler.End, notes: [String], now: Int64) {
        let scheduler = Scheduler(Choices(seed: seed), isFair: false)
        let notes = Notes()
        let isDone = OneShotFlag()
        _ = Task(executorPreference: scheduler) {
            await body(scheduler, notes)
            isDone.set()
        }
        return (scheduler.run(until: { isDone.isSet }), notes.lines, scheduler.now)
    }

    @Test("lets hours of virtual time pass at once, in order")
    func virtualTime() {
        let (end, notes, now) = run { scheduler, notes in
            let clock = ProcessClock(scheduler, offset: 0)
            await withDiscardingTaskGroup { group in
                for hours in [3, 1, 2] {
                    group.addTask {
                        try? await clock.sleep(for: .seconds(hours * 3600))
                        notes.add("\(hours)")
                    }
                }
            }
        }
        #expect(end == .done)
        #expect(notes == ["1", "2", "3"])
        #expect(now == 3 * 3600 * 1_000_000)
    }

    @Test("wakes a sleeper that is cancelled")
    func cancellation() {
        let (end, notes, now) = run { scheduler, notes in
            let clock = ProcessClock(scheduler, offset: 0)
            await withDiscardingTaskGroup { group in
                group.addTask {
                    do { try await clock.sleep(for: .seconds(3600)) } catch { notes.add("\(type(of: error))") }
                }
                try? await clock.sleep(for: .seconds(1))
                group.cancelAll()
            }
        }
        #expect(end == .done)
        #expect(notes == ["CancellationError"])
        #expect(now == 1_000_000)
    }

    @Test("runs tasks in many orders, and in the same one for the same seed")
    func orders() {
        func order(_ seed: UInt64) -> String {
            run(seed: seed) { _, notes in
                await withDiscardingTaskGroup { group in
                    for number in 0..<4 { group.addTask { notes.add("\(number)") } }
                }
            }.notes.joined()
        }
        let orders = (0..<200).map { order($0) }
        #expect(Set(orders).count == 24)
        #expect(orders == (0..<200).map { order($0) })
    }

    @Test("holds a frozen process where it is, and the clock goes on")
    func freeze() {
        let (_, notes, now) = run { scheduler, notes in
            let executor = ProcessExecutor(scheduler)
            let clock = ProcessClock(scheduler, offset: 0)
            executor.freeze()
            scheduler.after(5_000_000) { executor.thaw() }
            await withTaskExecutorPreference(executor) { notes.add("\(clock.uptime())") }
        }
        #expect(notes == ["5.0 seconds"])
        #expect(now == 5_000_000)
    }

    @Test("says so when nothing is left that could go on")
    func stuck() {
        let (end, _, _) = run { _, _ in await OneShot<Void>().value() }
        #expect(end == .stuck)
    }
}

/// Lines that tasks write.
private final class Notes: Sendable {
    private let state = Mutex<[String]>([])

    var lines: [String] { state.withLock { $0 } }

    func add(_ line: String) { state.withLock { $0.append(line) } }
}
