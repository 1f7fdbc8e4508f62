/// When the work for the caller at hand has to be done: a task-local value, so that it reaches the storage adapters
/// through code that has nothing to say about it.
///
/// A front that has only so much time (a Lambda invocation) sets it around a request. The log observes it when it waits
/// and when it tries an append again, and hands it down to the storage ports; adapters bound their calls by it.
package enum Deadline {
    /// The moment, by ``TimeSource/uptime()``; `nil` where nobody is in a hurry.
    @TaskLocal package static var current: Duration?

    /// The earlier one of a moment and the deadline at hand.
    package static func atMost(_ moment: Duration) -> Duration {
        current.map { min($0, moment) } ?? moment
    }

    /// Runs `body` with another deadline.
    package static func with<Value: Sendable, Failure: Error>(
        _ deadline: Duration?, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await $current.withValue(deadline) {
            do throws(Failure) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
