import Synchronization

/// What the tasks of one process wait for, so that all of it can be ended when the process dies.
final class OpenWaits<Value: Sendable>: Sendable {
    private struct State {
        var waits: [UInt64: OneShot<Value>] = [:]
        var nextIdentifier: UInt64 = 0
        var isEnded = false
    }

    private let state = Mutex(State())

    /// Whether nobody may wait any more.
    var isEnded: Bool { state.withLock { $0.isEnded } }

    /// Waits for a value that `begin` arranges for, or takes `substitute` when the task is cancelled first; `nil` where
    /// nobody may wait any more.
    func value(whenCancelled substitute: Value, _ begin: (OneShot<Value>) -> Void) async -> Value? {
        let wait = OneShot<Value>()
        let identifier: UInt64? = state.withLock { state in
            guard !state.isEnded else { return nil }
            state.nextIdentifier += 1
            state.waits[state.nextIdentifier] = wait
            return state.nextIdentifier
        }
        guard let identifier else { return nil }
        defer { state.withLock { $0.waits[identifier] = nil } }
        begin(wait)
        return await wait.value(whenCancelled: substitute)
    }

    /// Gives everybody this value, in the order in which they came, and lets nobody wait from now on.
    func end(with value: Value) {
        let waits = state.withLock { state in
            state.isEnded = true
            return state.waits.sorted { $0.key < $1.key }.map(\.value)
        }
        for wait in waits { wait.resolve(value) }
    }
}
