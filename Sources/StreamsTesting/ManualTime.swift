import StreamsCore
package import StreamsModel
import Synchronization

/// A clock that stands still until a test moves it.
///
/// Wall clock and uptime move together; ``shiftWallClock(by:)`` sets the wall clock wrong.
package final class ManualTime: TimeSource {
    private struct Sleeper {
        var due: Duration
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var uptime: Duration = .zero
        var wallClock: Timestamp
        var sleepers: [UInt64: Sleeper] = [:]
        var nextIdentifier: UInt64 = 0

        mutating func takeDue() -> [Sleeper] {
            let due = sleepers.filter { $0.value.due <= uptime }
            for identifier in due.keys { sleepers[identifier] = nil }
            return due.values.sorted { $0.due < $1.due }
        }
    }

    private let state: Mutex<State>

    /// Makes a clock that shows `start`.
    package init(start: Timestamp = Timestamp(milliseconds: 1_700_000_000_000)) {
        state = Mutex(State(wallClock: start))
    }

    package func now() -> Timestamp { state.withLock { $0.wallClock } }

    package func uptime() -> Duration { state.withLock { $0.uptime } }

    /// Waits until the test has moved the clock far enough.
    package func sleep(for duration: Duration) async throws {
        guard duration > .zero else { return try Task.checkCancellation() }
        let identifier = state.withLock { state in
            state.nextIdentifier += 1
            return state.nextIdentifier
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { state in
                    state.sleepers[identifier] = Sleeper(due: state.uptime + duration, continuation: continuation)
                }
                if Task.isCancelled { cancel(identifier) }
            }
        } onCancel: {
            cancel(identifier)
        }
    }

    /// Moves the clock and wakes those whose time has come.
    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.uptime += duration
            state.wallClock = state.wallClock.advanced(by: duration)
            return state.takeDue()
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Moves the clock to where the next sleeper wakes, if anybody sleeps; returns whether somebody did.
    package func advanceToNextSleeper() -> Bool {
        let wait = state.withLock { state in state.sleepers.values.map { $0.due - state.uptime }.min() }
        guard let wait else { return false }
        advance(by: wait)
        return true
    }

    /// Sets the wall clock wrong; uptime goes on as it was.
    package func shiftWallClock(by duration: Duration) {
        state.withLock { $0.wallClock = $0.wallClock.advanced(by: duration) }
    }

    /// How many tasks sleep.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    private func cancel(_ identifier: UInt64) {
        let sleeper = state.withLock { $0.sleepers.removeValue(forKey: identifier) }
        sleeper?.continuation.resume(throwing: CancellationError())
    }
}
