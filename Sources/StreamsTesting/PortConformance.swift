package import StreamsCore
package import StreamsModel
import Testing

/// What every implementation of the two storage ports must do, as checks that any test target can run.
///
///     private typealias Conformance = PortConformance<InMemoryStore>
///
///     @Test("the in-memory store keeps the promises of the ports", arguments: Conformance.checks)
///     private func conforms(check: Conformance.Check) async throws {
///         try await Conformance { InMemoryStore() }.run(check)
///     }
///
/// Where the ports leave a choice (whether the head shows claims that are not stored, whether a claim can be given
/// back), either is accepted. Every check gets a store of its own, which must be empty. Segments lie within claims and
/// never overlap, and writes are signed with ``now``, so a store may refuse everything else.
package struct PortConformance<Store: Table & SegmentStore>: Sendable {
    /// One promise of the ports, and how to see whether a store keeps it.
    package struct Check: Sendable, CustomTestStringConvertible {
        /// The promise as a sentence.
        package let name: String
        /// Shows the promise on an empty store; failures are recorded as issues of the running test.
        package let body: @Sendable (PortConformance, Store) async throws -> Void

        init(
            _ name: String,
            _ method: @escaping @Sendable (PortConformance) -> (Store) async throws -> Void
        ) {
            self.name = name
            self.body = { try await method($0)($1) }
        }

        /// The promise.
        package var testDescription: String { name }
    }

    /// Makes an empty store, runs the closure with it, and cleans up.
    package typealias WithStore =
        @Sendable (_ body: @Sendable (Store) async throws -> Void) async throws -> Void

    /// The time at which claims are taken and writes are signed.
    package let now: Timestamp

    private let withStore: WithStore

    /// Makes the suite for a store that lives as long as it is referenced.
    ///
    /// `makeStore` makes an empty store, another one each time. `now` matters only to stores that refuse what was
    /// signed long ago.
    package init(
        now: Timestamp = Timestamp(milliseconds: 1_702_000_000_123),
        makeStore: @escaping @Sendable () async throws -> Store
    ) {
        self.init(now: now, withStore: { body in try await body(makeStore()) })
    }

    /// Makes the suite for a store that needs something around it: a running task, a directory, a server.
    package init(
        now: Timestamp = Timestamp(milliseconds: 1_702_000_000_123),
        withStore: @escaping WithStore
    ) {
        self.now = now
        self.withStore = withStore
    }

    /// Runs a check on a new store.
    ///
    /// - Throws: What the store threw, or that a check could not go on after a failure.
    package func run(_ check: Check) async throws {
        try await withStore { store in
            try await check.body(self, store)
        }
    }

    /// All checks, for `@Test(arguments:)`.
    package static var checks: [Check] {
        topicChecks + changeChecks + claimChecks + conditionChecks + fenceChecks + produceRecordChecks + headChecks
            + closingChecks + groupChecks + putChecks + getChecks + listChecks + concurrencyChecks
    }
}
