import StreamsModel
import Synchronization
import Testing

@testable import StreamsCore

extension RunningServer {
    /// How many topics a reader waits for.
    var waitingTopics: Int { log.waiters.withLock { $0.watchedTopics.count } }

    /// Waits for a condition.
    ///
    /// - Throws: where it does not come true in time.
    func until(_ condition: @Sendable () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, "the condition did not come true in time")
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// A topic's name.
func topic(_ name: String) throws -> TopicName { try TopicName(name) }
