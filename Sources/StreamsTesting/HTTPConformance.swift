package import HTTPTypes
package import StreamsHTTP
package import StreamsModel
import Testing

/// What every front of the HTTP API must do, as checks that any test target can run.
///
///     @Test("the server keeps the API's contract", arguments: HTTPConformance.checks)
///     private func conforms(check: HTTPConformance.Check) async throws {
///         try await HTTPConformance(withFront: withServer).run(check)
///     }
///
/// The contract is `docs/http-api.md`. Every check gets a front of its own over an empty store, with the documented
/// limits and any origin allowed. Bodies and header fields are compared exactly, times aside.
package struct HTTPConformance: Sendable {
    /// One promise of the API, and how to see whether a front keeps it.
    package struct Check: Sendable, CustomTestStringConvertible {
        /// The promise as a sentence.
        package let name: String
        /// Shows the promise; failures are recorded as issues of the running test.
        package let body: @Sendable (HTTPFront) async throws -> Void

        init(_ name: String, _ body: @escaping @Sendable (HTTPFront) async throws -> Void) {
            self.name = name
            self.body = body
        }

        /// The promise.
        package var testDescription: String { name }
    }

    /// Makes a front over an empty store, runs the closure with it, and cleans up.
    package typealias WithFront =
        @Sendable (_ body: @Sendable (HTTPFront) async throws -> Void) async throws -> Void

    private let withFront: WithFront

    /// Makes the suite for a front.
    package init(withFront: @escaping WithFront) {
        self.withFront = withFront
    }

    /// Runs a check on a new front.
    ///
    /// - Throws: What the front threw, or that a check could not go on after a failure.
    package func run(_ check: Check) async throws {
        try await withFront(check.body)
    }

    /// All checks, for `@Test(arguments:)`.
    package static var checks: [Check] {
        produceChecks + conditionChecks + idempotencyChecks + fenceChecks + lineChecks + payloadChecks + sizeChecks
            + consumeChecks + waitChecks + startChecks + timeChecks + negotiationChecks + eventChecks + topicChecks
            + topicChangeChecks + listChecks + groupChecks + pathChecks + crossOriginChecks + serviceChecks
            + refusalChecks
    }
}

/// A way to the API: in the process, over a socket, through a gateway.
package struct HTTPFront: Sendable {
    /// Sends a request and collects the whole answer; HEAD gives an empty body.
    package var transport: @Sendable (APIRequest) async throws -> HTTPAnswer
    /// Sends a request whose answer may never end: collects bytes until the closure, called with all bytes so far each
    /// time there are more, returns true, or the answer ends; then hangs up.
    package var openStream: @Sendable (APIRequest, @escaping StreamCondition) async throws -> HTTPAnswer
    /// Drops the messages of a topic below an offset, as trimming and retention do.
    package var trim: @Sendable (TopicName, Offset) async throws -> Void

    /// Looks at what a stream has brought so far; returns whether that is enough.
    package typealias StreamCondition = @Sendable (_ received: [UInt8]) async throws -> Bool

    /// Makes a front of its parts.
    package init(
        transport: @escaping @Sendable (APIRequest) async throws -> HTTPAnswer,
        openStream: @escaping @Sendable (APIRequest, @escaping StreamCondition) async throws -> HTTPAnswer,
        trim: @escaping @Sendable (TopicName, Offset) async throws -> Void
    ) {
        self.transport = transport
        self.openStream = openStream
        self.trim = trim
    }
}

/// An answer as the client sees it.
package struct HTTPAnswer: Sendable {
    /// The status.
    package var status: HTTPResponse.Status
    /// The header fields.
    package var headers: HTTPFields
    /// The body, or as much of a stream as was collected.
    package var body: [UInt8]

    /// Makes an answer.
    package init(status: HTTPResponse.Status, headers: HTTPFields, body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The body as text.
    package var text: String { String(decoding: body, as: UTF8.self) }
}
