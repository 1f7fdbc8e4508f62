/// The AWS Lambda Runtime API, version 2018-06-01: where events come from and answers go.
///
/// Its description is in the AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes". One caller
/// at a time: the environment gives out one event, and waits for its answer.
package protocol RuntimeAPI: Sendable {
    /// Waits for the next event, however long; the process may be frozen meanwhile.
    ///
    /// - Throws: `cancelled` when the task is cancelled, `unreachable`, `broken`.
    func next() async throws(RuntimeAPIError) -> Invocation

    /// Answers an invocation with one document.
    ///
    /// - Throws: `tooLarge`, `refused`, `unreachable`, `broken`.
    func respond(_ body: [UInt8], to id: String) async throws(RuntimeAPIError)

    /// Answers an invocation with a stream: what the closure writes, until it returns.
    ///
    /// An error of the closure goes into the stream's trailers, and is not thrown.
    /// - Throws: `refused`, `unreachable`, `broken`.
    func stream(
        to id: String, _ produce: @Sendable (any InvocationStream) async throws -> Void
    ) async throws(RuntimeAPIError)

    /// Answers an invocation with a failure.
    ///
    /// - Throws: `refused`, `unreachable`, `broken`.
    func fail(_ failure: InvocationFailure, id: String) async throws(RuntimeAPIError)

    /// Reports that the function can not start; the process is to end afterwards.
    ///
    /// - Throws: `refused`, `unreachable`, `broken`.
    func failInitialization(_ failure: InvocationFailure) async throws(RuntimeAPIError)
}

/// What went wrong between the function and the Runtime API.
package struct RuntimeAPIError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kinds that the loop acts on differently.
    package enum Code: Sendable, Equatable {
        /// The task was cancelled while it waited for an event.
        case cancelled
        /// The answer is larger than the API takes (413).
        case tooLarge
        /// The API did not take the request (4xx): it concerns this invocation only.
        case refused
        /// No connection, after several tries.
        case unreachable
        /// The API is in a state that only a new process gets out of (5xx), or speaks something else.
        case broken
    }

    /// The kind.
    package var code: Code
    /// What happened, as a sentence.
    package var message: String

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The sentence.
    package var description: String { message }
}
