import NIOHTTP1
import StreamsHTTP
import Synchronization

/// A request as it goes from the channel to the connection's task.
struct ReceivedRequest: Sendable {
    /// What the API is asked.
    var request: APIRequest
    /// The version to answer in.
    var version: HTTPVersion
    /// Whether the connection may serve another request afterwards.
    var isKeepAlive: Bool
}

/// Hands requests from the channel to the connection's task, one at a time.
///
/// Unlike an `AsyncStream` it goes on handing out after a cancellation: a client that sends a request and closes its
/// side at once still gets its answer.
final class RequestMailbox: Sendable {
    private struct State {
        var waiting: [ReceivedRequest] = []
        var reader: CheckedContinuation<ReceivedRequest?, Never>?
        var isFinished = false
        var hasReader = false
    }

    private let state = Mutex(State())

    /// Adds a request.
    func put(_ request: ReceivedRequest) {
        let reader = state.withLock { state -> CheckedContinuation<ReceivedRequest?, Never>? in
            guard let reader = state.reader else {
                state.waiting.append(request)
                return nil
            }
            state.reader = nil
            return reader
        }
        reader?.resume(returning: request)
    }

    /// Whether somebody has begun to take requests out.
    var hasReader: Bool { state.withLock { $0.hasReader } }

    /// No request will come any more.
    func finish() {
        let reader = state.withLock { state -> CheckedContinuation<ReceivedRequest?, Never>? in
            state.isFinished = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }

    /// The next request; `nil` after the last one.
    func next() async -> ReceivedRequest? {
        await withCheckedContinuation { continuation in
            let answer = state.withLock { state -> ReceivedRequest?? in
                state.hasReader = true
                if !state.waiting.isEmpty { return .some(state.waiting.removeFirst()) }
                if state.isFinished { return .some(nil) }
                state.reader = continuation
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }
}
