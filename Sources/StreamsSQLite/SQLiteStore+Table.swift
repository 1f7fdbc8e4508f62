import GRDB
package import StreamsCore
package import StreamsModel
import Synchronization

extension SQLiteStore: StreamsCore.Table {
    package func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        if let outcome = states.withLock({ $0.claim(request) }) { return outcome }
        try await load(request.topic)
        return states.withLock { $0.claim(request) } ?? .noSuchTopic
    }

    package func release(_ claim: Claim) async -> Bool {
        states.withLock { $0.release(claim) }
    }

    package func head(of topic: TopicName) async throws(StoreError) -> TopicHead? {
        if let state = states.withLock({ $0[topic] }) { return state.head }
        try await load(topic)
        return states.withLock { $0[topic]?.head }
    }

    package func create(_ topic: TopicName, at now: Timestamp) async throws(StoreError) -> Bool {
        try await withCheckedContinuation { enqueue(.create(topic, now, $0)) }.get()
    }

    package func topics(prefix: String, after: String, limit: Int) async throws(StoreError) -> [TopicName] {
        try await reading { database in
            // Names are ASCII and compared by bytes, so the prefix is a range that the index answers.
            let names = try String.fetchAll(
                database.cachedStatement(
                    sql: """
                        SELECT name FROM topic WHERE name >= ? AND name < ? AND name > ? AND deleted_at IS NULL
                        ORDER BY name LIMIT ?
                        """), arguments: [prefix, prefix + "\u{7F}", after, limit])
            return names.compactMap { try? TopicName($0) }
        }
    }

    /// Reads a topic's row into memory; does nothing where there is none.
    func load(_ topic: TopicName) async throws(StoreError) {
        while true {
            let trimCount = states.withLock { $0.trimCount }
            let row = try await reading { try TopicRow.fetch(topic, $0) }
            guard let row else { return }
            let isCurrent = states.withLock { states in
                guard states.trimCount == trimCount else { return false }
                states.adopt(TopicStates.State(rowID: row.rowID, head: row.head), for: topic)
                return true
            }
            if isCurrent { return }
        }
    }

    /// Runs a read on one of the pool's reading connections, whether or not the task is cancelled: a client that closed
    /// its side after the request still gets its answer.
    func reading<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreError) -> Value {
        do {
            do {
                return try await pool.read(body)
            } catch is CancellationError {
                return try await readUncancelled(body)
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(error, isWrite: false)
        }
    }

    /// GRDB's way to read that knows nothing of tasks; it takes one more change of threads.
    private func readUncancelled<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            pool.asyncRead { database in
                continuation.resume(with: Result { try body(database.get()) })
            }
        }
    }
}
