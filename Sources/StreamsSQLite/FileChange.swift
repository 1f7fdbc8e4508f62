import StreamsCore

/// A change of the file beside segments and topics, made in the transaction of whatever else waits.
struct FileChange: Sendable {
    /// Makes the change.
    ///
    /// Where it throws, the whole transaction fails, and all others in it: what can be refused is an outcome.
    let perform: @Sendable (inout WriteTransaction) throws -> Performed
    /// Tells the waiting caller that it failed.
    let fail: @Sendable (StoreError) -> Void

    /// A change that waits for its commit.
    struct Performed: Sendable {
        /// Notes in memory what readers must know before the commit can be seen.
        let noteBeforeCommit: @Sendable (inout TopicStates) -> Void
        /// Notes in memory what is durable now.
        let noteAfterCommit: @Sendable (inout TopicStates) -> Void
        /// Tells the waiting caller what came of it.
        let answer: @Sendable () -> Void
    }
}

extension SQLiteStore {
    /// Changes the file in the writer's next transaction, which is durable when this returns.
    ///
    /// `noteBefore` and `noteAfter` bring the topics in memory in step, before and after the commit.
    func changing<Value: Sendable>(
        _ body: @escaping @Sendable (inout WriteTransaction) throws -> Value,
        noteBefore: @escaping @Sendable (Value, inout TopicStates) -> Void = { _, _ in },
        noteAfter: @escaping @Sendable (Value, inout TopicStates) -> Void = { _, _ in }
    ) async throws(StoreError) -> Value {
        let result: Result<Value, StoreError> = await withCheckedContinuation { continuation in
            let change = FileChange(
                perform: { transaction in
                    let value = try body(&transaction)
                    return FileChange.Performed(
                        noteBeforeCommit: { noteBefore(value, &$0) }, noteAfterCommit: { noteAfter(value, &$0) },
                        answer: { continuation.resume(returning: .success(value)) })
                },
                fail: { continuation.resume(returning: .failure($0)) })
            enqueue(.change(change))
        }
        return try result.get()
    }
}
