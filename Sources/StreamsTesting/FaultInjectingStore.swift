package import StreamsCore
package import StreamsModel
import Synchronization

/// Both storage ports around another store, with the faults that a test plans for each call.
///
/// A plan may itself act on the store underneath: what happens "between two steps of a reader" happens in its plan.
package final class FaultInjectingStore: Sendable {
    /// What a plan decides about each call.
    package typealias Plan = @Sendable (StoreCall) -> StoreFault

    private struct State {
        var plan: Plan
        var calls: [StoreCall] = []
        var inFlight: [(segment: Segment, signedAt: Timestamp)] = []
    }

    /// More calls than any test makes: a log that goes round for ever stops the test run instead of hanging it.
    private static let callCountMaximum = 300_000

    let store: any Table & SegmentStore
    private let state: Mutex<State>

    /// Wraps a store; without a plan nothing goes wrong.
    package init(_ store: any Table & SegmentStore, plan: @escaping Plan = { _ in .none }) {
        self.store = store
        state = Mutex(State(plan: plan))
    }

    /// Sets what happens from the next call on.
    package func plan(_ plan: @escaping Plan) {
        state.withLock { $0.plan = plan }
    }

    /// The calls so far, in the order in which they came.
    package var calls: [StoreCall] { state.withLock { $0.calls } }

    /// The segments of all puts so far.
    package var puts: [Segment] {
        calls.compactMap { call in
            guard case .put(let segment) = call else { return nil }
            return segment
        }
    }

    /// Forgets the calls so far.
    package func forgetCalls() {
        state.withLock { $0.calls = [] }
    }

    /// Lets the puts arrive whose answers were lost by ``StoreFault/landingLate``, in the order of `place`.
    ///
    /// Returns how each of them went.
    package func landInFlight(_ place: ([Segment]) -> [Int] = { Array($0.indices) }) async -> [PutOutcome] {
        let inFlight = state.withLock { state in
            defer { state.inFlight = [] }
            return state.inFlight
        }
        var outcomes: [PutOutcome] = []
        for index in place(inFlight.map(\.segment)) {
            let (segment, signedAt) = inFlight[index]
            if let outcome = try? await store.put(segment, signedAt: signedAt) { outcomes.append(outcome) }
        }
        return outcomes
    }

    func perform<Value: Sendable>(
        _ call: StoreCall, missing: Value? = nil, _ effect: () async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let plan = state.withLock { state in
            precondition(state.calls.count < Self.callCountMaximum, "the store is called without end")
            state.calls.append(call)
            return state.plan
        }
        let fault = plan(call)
        try await Self.pass(fault.before)
        if fault.landsLate, case .put(let segment) = call {
            state.withLock { $0.inFlight.append((segment, segment.timestamp)) }
        }
        if fault.isMissing, let missing { return missing }
        guard fault.isPerformed else { throw fault.error ?? .lostAnswer }
        let value = try await effect()
        try await Self.pass(fault.after)
        if let error = fault.error { throw error }
        return value
    }

    private static func pass(_ gate: Gate?) async throws(StoreError) {
        do throws(CancellationError) { try await gate?.pass() } catch { throw .lostAnswer }
    }
}

extension FaultInjectingStore: Table {
    package func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        try await perform(.claim(request)) { () async throws(StoreError) in try await store.claim(request) }
    }

    package var mayGoBack: Bool { store.mayGoBack }

    package func close(_ topic: TopicName, until: Timestamp) async throws(StoreError) {
        try await perform(.close(topic)) { () async throws(StoreError) in
            try await store.close(topic, until: until)
        }
    }

    package func reopen(
        _ topic: TopicName, closedUntil: Timestamp, earliest: Offset, end: Offset, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        try await perform(.reopen(topic)) { () async throws(StoreError) in
            try await store.reopen(topic, closedUntil: closedUntil, earliest: earliest, end: end, at: now)
        }
    }

    package func moveLowMark(of topic: TopicName, to offset: Offset) async throws(StoreError) {
        try await perform(.moveLowMark(topic)) { () async throws(StoreError) in
            try await store.moveLowMark(of: topic, to: offset)
        }
    }

    package func release(_ claim: Claim) async -> Bool {
        let result = try? await perform(.release(claim)) { () async throws(StoreError) in await store.release(claim) }
        return result ?? false
    }

    package func head(of topic: TopicName) async throws(StoreError) -> TopicHead? {
        try await perform(.head(topic)) { () async throws(StoreError) in try await store.head(of: topic) }
    }

    package func create(_ topic: TopicName, at now: Timestamp) async throws(StoreError) -> Bool {
        try await perform(.create(topic)) { () async throws(StoreError) in try await store.create(topic, at: now) }
    }

    package func topics(prefix: String, after: String, limit: Int) async throws(StoreError) -> [TopicName] {
        try await perform(.topics) { () async throws(StoreError) in
            try await store.topics(prefix: prefix, after: after, limit: limit)
        }
    }
}

extension FaultInjectingStore: SegmentStore {
    package var keysPerList: Int { store.keysPerList }

    package func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        try await perform(.put(segment)) { () async throws(StoreError) in
            try await store.put(segment, signedAt: signedAt)
        }
    }

    package func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] {
        try await perform(.get(keys), missing: keys.map { _ in nil }) { () async throws(StoreError) in
            try await store.get(keys)
        }
    }

    package func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        try await perform(.list(topic, from: from)) { () async throws(StoreError) in
            try await store.list(topic, from: from, limit: limit)
        }
    }
}
