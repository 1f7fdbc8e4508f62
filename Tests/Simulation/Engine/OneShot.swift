import Synchronization

/// A value that one task waits for and that comes once; what comes after the first is dropped.
final class OneShot<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Value, Never>)
        case full(Value)
        case done
    }

    private let state = Mutex(State.empty)

    /// Makes one without a value.
    init() {}

    /// Gives the value; the first call counts.
    func resolve(_ value: Value) {
        let waiting: CheckedContinuation<Value, Never>? = state.withLock { state in
            switch state {
            case .empty:
                state = .full(value)
                return nil
            case .waiting(let continuation):
                state = .done
                return continuation
            case .full, .done:
                return nil
            }
        }
        waiting?.resume(returning: value)
    }

    /// Waits for the value; may be called once.
    func value() async -> Value {
        await withCheckedContinuation { continuation in
            let value: Value? = state.withLock { state in
                if case .full(let value) = state {
                    state = .done
                    return value
                }
                state = .waiting(continuation)
                return nil
            }
            if let value { continuation.resume(returning: value) }
        }
    }

    /// Waits for the value, or, when the task is cancelled first, takes `substitute`.
    func value(whenCancelled substitute: Value) async -> Value {
        await withTaskCancellationHandler {
            await value()
        } onCancel: {
            resolve(substitute)
        }
    }
}
