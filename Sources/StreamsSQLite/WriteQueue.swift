import StreamsCore
import StreamsModel

/// A change of the file that waits for the writer.
enum WriteOperation: Sendable {
    case put(Segment, CheckedContinuation<Result<PutOutcome, StoreError>, Never>)
    case create(TopicName, Timestamp, CheckedContinuation<Result<Bool, StoreError>, Never>)
    case trimExpired(before: Timestamp, CheckedContinuation<Result<Bool, StoreError>, Never>)
    case change(FileChange)

    /// Tells the waiting caller that it failed.
    func fail(_ error: StoreError) {
        switch self {
        case .put(_, let continuation): continuation.resume(returning: .failure(error))
        case .create(_, _, let continuation): continuation.resume(returning: .failure(error))
        case .trimExpired(_, let continuation): continuation.resume(returning: .failure(error))
        case .change(let change): change.fail(error)
        }
    }
}

/// The changes that wait, of all topics together: each commit takes all of them, so that one flush to disk serves
/// everybody who came while the one before it was under way.
struct WriteQueue {
    private var waiting: [WriteOperation] = []
    private var isClosed = false

    enum EnqueueAction {
        /// Wake the writer.
        case wake
        /// The writer is awake and will find it.
        case none
        /// Refuse: the store is closed.
        case refuse
    }

    mutating func enqueue(_ operation: WriteOperation) -> EnqueueAction {
        guard !isClosed else { return .refuse }
        waiting.append(operation)
        return waiting.count == 1 ? .wake : .none
    }

    /// All that waits; empty when nothing does.
    mutating func takeAll() -> [WriteOperation] {
        defer { waiting = [] }
        return waiting
    }

    /// Whether it is closed and nothing waits.
    var isFinished: Bool { isClosed && waiting.isEmpty }

    mutating func close() {
        isClosed = true
    }
}
