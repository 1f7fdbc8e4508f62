import Logging
import StreamsCore
public import StreamsModel
import StreamsTesting
import Synchronization
import Testing

/// A store with planned faults, a clock that the test moves, and logs over them.
final class Laboratory: Sendable {
    let memory: InMemoryStore
    let store: FaultInjectingStore
    let time = ManualTime()
    let topic: TopicName
    private let gates = Mutex<[Gate]>([])
    private let nextID = Atomic<UInt64>(1)

    init(keysPerList: Int = 1000) throws {
        memory = InMemoryStore(keysPerList: keysPerList)
        store = FaultInjectingStore(memory)
        topic = try TopicName("t")
    }

    /// One more process over the store.
    func makeLog(
        over other: (any Table & SegmentStore)? = nil, _ configure: (inout LogConfiguration) -> Void = { _ in }
    ) -> Log {
        var configuration = LogConfiguration()
        configure(&configuration)
        let store = other ?? store
        return makeLog(table: store, segments: store, configuration)
    }

    /// One more process over two halves of a store.
    func makeLog(
        table: any Table, segments: any SegmentStore, _ configuration: LogConfiguration = LogConfiguration()
    ) -> Log {
        Log(
            table: table, segments: segments, time: time, makeAppendID: { self.makeID() }, configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func makeID() -> AppendID {
        AppendID(high: 0, low: nextID.add(1, ordering: .relaxed).newValue)
    }

    /// A gate that opens when the test fails, so that a failing test ends.
    func makeGate() -> Gate {
        let gate = Gate()
        gates.withLock { $0.append(gate) }
        return gate
    }

    /// Runs logs while `body` runs; then closes them and waits for their end.
    func running<Value>(_ logs: Log..., body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for log in logs { group.addTask { await log.run() } }
            do {
                let value = try await body()
                for log in logs { log.close() }
                return value
            } catch {
                for log in logs { log.close() }
                for gate in gates.withLock({ $0 }) { gate.open() }
                throw error
            }
        }
    }

    /// Waits until something is so; fails the test if that takes unreasonably long.
    func until(_ what: Comment, _ condition: () async -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        var looks = 0
        while !(await condition()) {
            guard ContinuousClock.now < deadline, !Task.isCancelled else {
                store.plan { _ in .none }
                for gate in gates.withLock({ $0 }) { gate.open() }
                throw NeverHappened(what: what.rawValue)
            }
            // What it waits for may need the processor more than the question whether it is there.
            looks += 1
            if looks.isMultiple(of: 100) { try? await Task.sleep(for: .milliseconds(1)) } else { await Task.yield() }
        }
    }

    /// Runs `body` while the clock goes on by itself: to the next sleeper, as soon as there is one.
    func withTimePassing<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    for _ in 0..<20 { await Task.yield() }
                    _ = self.time.advanceToNextSleeper()
                }
            }
            defer { group.cancelAll() }
            return try await body()
        }
    }

    /// Takes a claim as a process would that dies before its put.
    @discardableResult
    func claim(_ count: Int) async throws -> Claim {
        let request = ClaimRequest(topic: topic, count: count, id: makeID(), at: time.now())
        guard case .claimed(let claim) = await memory.claim(request) else { throw NeverHappened(what: "a claim") }
        return claim
    }

    /// Everything that a reader gets who begins at `start`.
    func read(
        _ log: Log, _ start: ReadRequest.Start = .offset(.first), limit: Int = 10_000, bytes: Int = .max,
        wait: Duration = .zero
    ) async throws(StreamsError) -> ReadPage {
        try await log.read(
            ReadRequest(topic: topic, start: start, limit: limit, bytesMaximum: bytes, wait: wait))
    }

    /// The error code of a read or an append; `nil` where it succeeds.
    func code(_ body: () async throws -> Void) async -> ErrorCode? {
        do { try await body() } catch let error as StreamsError { return error.code } catch { Issue.record(error) }
        return nil
    }

    /// The segments that are stored.
    func stored() async -> [Segment] {
        let keys = await memory.list(topic, from: .first, limit: .max).map(\.key)
        return await memory.get(keys).compactMap { $0 }
    }

    /// The stored segments as text: `1-2` for messages, `(3-3)` for fillers.
    func layout() async -> String {
        await stored().map(\.shape).joined(separator: " ")
    }
}

/// A value that the tasks of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func change<Result: Sendable>(_ body: @Sendable (inout Value) -> Result) -> Result {
        mutex.withLock { body(&$0) }
    }
}

struct NeverHappened: Error {
    var what: String
}

extension Segment {
    /// `1-2` for messages, `(3-3)` for a filler, `[1-3]` for what was merged.
    var shape: String {
        let text = "\(range.lowerBound)-\(range.last)"
        return switch kind {
        case .messages: text
        case .filler: "(\(text))"
        case .merged: "[\(text)]"
        }
    }
}

extension ReadPage {
    /// The messages as `offset:payload`.
    var texts: [String] {
        slices.flatMap { slice in
            slice.payloads.enumerated().map { "\(slice.range.lowerBound.advanced(by: $0)):\($1)" }
        }
    }
}

extension Offset: ExpressibleByIntegerLiteral {
    /// The offset of that number, for the literals of tests.
    public init(integerLiteral value: Int) {
        self = Offset.first.advanced(by: value - 1)
    }
}
