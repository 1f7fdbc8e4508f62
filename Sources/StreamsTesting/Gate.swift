import Synchronization

/// A place in a program where a test stops tasks until it lets them go on.
package final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var arrivalCount = 0
        var nextIdentifier: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    /// Makes a closed gate.
    package init() {}

    /// Waits until the gate is open.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while the gate is closed.
    package func pass() async throws(CancellationError) {
        let identifier = state.withLock { state in
            state.arrivalCount += 1
            state.nextIdentifier += 1
            return state.nextIdentifier
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let passes = state.withLock { state in
                    if !state.isOpen { state.waiting[identifier] = continuation }
                    return state.isOpen
                }
                if passes { continuation.resume() } else if Task.isCancelled { cancel(identifier) }
            }
        } onCancel: {
            cancel(identifier)
        }
        if Task.isCancelled, !state.withLock({ $0.isOpen }) { throw CancellationError() }
    }

    /// Lets everybody pass, now and from now on.
    package func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    /// How many tasks have come to the gate so far.
    package var arrivalCount: Int { state.withLock { $0.arrivalCount } }

    private func cancel(_ identifier: UInt64) {
        state.withLock { $0.waiting.removeValue(forKey: identifier) }?.resume()
    }
}
