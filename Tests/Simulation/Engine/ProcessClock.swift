import StreamsCore
import StreamsModel
import Synchronization

/// The clocks of one process: virtual time, and a wall clock that may be wrong.
final class ProcessClock: TimeSource {
    private struct State {
        /// By how many milliseconds the wall clock is ahead.
        var offset: Int64
        var isStopped = false
        var sleepers: [UInt64: OneShot<Void>] = [:]
        var nextIdentifier: UInt64 = 0
    }

    /// When every world begins: a morning.
    static let epoch: Int64 = 1_700_035_200_000

    private let scheduler: Scheduler
    private let state: Mutex<State>

    /// Makes a clock that is ahead by so many milliseconds.
    init(_ scheduler: Scheduler, offset: Int64) {
        self.scheduler = scheduler
        state = Mutex(State(offset: offset))
    }

    /// The right time.
    static func trueTime(_ scheduler: Scheduler) -> Timestamp {
        Timestamp(milliseconds: epoch + scheduler.now / 1000)
    }

    func now() -> Timestamp {
        Timestamp(milliseconds: Self.epoch + scheduler.now / 1000 + state.withLock { $0.offset })
    }

    func uptime() -> Duration { .microseconds(scheduler.now) }

    /// Waits in virtual time.
    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let sleeper = OneShot<Void>()
        let identifier: UInt64? = state.withLock { state in
            guard !state.isStopped else { return nil }
            state.nextIdentifier += 1
            state.sleepers[state.nextIdentifier] = sleeper
            return state.nextIdentifier
        }
        guard let identifier else {
            // What is dead still gives way to others, or a loop of its would never end.
            await scheduler.giveWay()
            throw CancellationError()
        }
        scheduler.after(Int64(duration.wholeMicroseconds)) { sleeper.resolve(()) }
        await sleeper.value(whenCancelled: ())
        let isStopped = state.withLock { state in
            state.sleepers[identifier] = nil
            return state.isStopped
        }
        if isStopped { throw CancellationError() }
        try Task.checkCancellation()
    }

    /// Sets the wall clock, to be ahead by so many milliseconds.
    func set(offset: Int64) {
        state.withLock { $0.offset = offset }
    }

    /// Wakes everybody who sleeps, and lets nobody sleep any more: the process is dead.
    func stop() {
        let sleepers = state.withLock { state in
            state.isStopped = true
            return state.sleepers.sorted { $0.key < $1.key }.map(\.value)
        }
        for sleeper in sleepers { sleeper.resolve(()) }
    }
}

extension Duration {
    /// The duration in microseconds, rounded towards zero.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
