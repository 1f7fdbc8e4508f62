package import StreamsAWS
package import StreamsModel
import Synchronization

/// The real store on AWS over simulated services in which nothing goes wrong, for tests of the services themselves.
package enum SimulatedStore {
    /// A run that did not come to its end.
    package struct NeverEnded: Error {}

    /// The time at which runs begin.
    package static var now: Timestamp { Timestamp(milliseconds: ProcessClock.epoch) }

    /// Runs `body` with an empty store, in a world of its own, on this thread.
    package static func with(
        pageMaximum: Int = 1000, _ body: @escaping @Sendable (AWSStore) async throws -> Void
    ) throws {
        var scenario = Scenario(seed: 1)
        scenario.pageMaximum = pageMaximum
        let world = try World(scenario, gate: nil, keepsTrace: false)
        guard let process = world.makeProcess("A1") else { throw NeverEnded() }
        let result = Mutex<Result<Void, any Error>?>(nil)
        _ = Task(executorPreference: world.scheduler) {
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(process.store)) } catch { outcome = .failure(error) }
            result.withLock { $0 = outcome }
        }
        _ = world.scheduler.run(until: { result.withLock { $0 != nil } })
        guard let outcome = result.withLock({ $0 }) else { throw NeverEnded() }
        try outcome.get()
    }
}
