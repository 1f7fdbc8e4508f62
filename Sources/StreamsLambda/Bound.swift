import StreamsCore
import Synchronization

/// Waits for work, but not beyond a bound, even where the work can not be cut short.
///
/// An append that is under way can not be: whether it is written is decided elsewhere. It goes on in a task of its own
/// after `overdue` was returned, until the process is frozen or the append is done. (So a task group will not do, which
/// waits for all of its children.)
func withBound<Value: Sendable>(
    _ bound: Duration, _ time: any TimeSource, overdue: @escaping @Sendable () -> Value,
    _ work: @escaping @Sendable () async -> Value
) async -> Value {
    let first = FirstResult<Value>()
    let working = Task { first.give(await work()) }
    let timer = Task {
        guard (try? await time.sleep(for: bound)) != nil else { return }
        first.give(overdue())
    }
    let value = await withTaskCancellationHandler {
        await withCheckedContinuation { first.wait($0) }
    } onCancel: {
        working.cancel()
    }
    timer.cancel()
    working.cancel()
    return value
}

/// The first of several results.
private final class FirstResult<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, Never>)
        case given(Value)
        case taken
    }

    private let state = Mutex(State.empty)

    func give(_ value: Value) {
        let waiting = state.withLock { state -> CheckedContinuation<Value, Never>? in
            switch state {
            case .empty:
                state = .given(value)
                return nil
            case .waiting(let continuation):
                state = .taken
                return continuation
            case .given, .taken: return nil
            }
        }
        waiting?.resume(returning: value)
    }

    func wait(_ continuation: CheckedContinuation<Value, Never>) {
        let given = state.withLock { state -> Value? in
            if case .given(let value) = state {
                state = .taken
                return value
            }
            state = .waiting(continuation)
            return nil
        }
        if let given { continuation.resume(returning: given) }
    }
}
