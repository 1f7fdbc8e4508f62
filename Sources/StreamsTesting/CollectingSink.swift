package import StreamsHTTP
import Synchronization

/// Collects a stream until there is enough of it, then hangs up.
package final class CollectingSink: ResponseSink {
    /// The client is gone.
    package struct HangUp: Error {}

    private let bytes = Mutex<[UInt8]>([])
    private let isEnough: HTTPFront.StreamCondition

    /// Makes a sink; `isEnough` looks at all that was received so far.
    package init(isEnough: @escaping HTTPFront.StreamCondition) {
        self.isEnough = isEnough
    }

    /// All that was received.
    package var received: [UInt8] { bytes.withLock { $0 } }

    package func write(_ new: [UInt8]) async throws {
        bytes.withLock { $0.append(contentsOf: new) }
        if try await isEnough(received) { throw HangUp() }
    }
}
