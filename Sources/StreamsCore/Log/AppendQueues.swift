import DequeModule
package import StreamsModel

/// An append that waits for its turn.
package struct PendingAppend: Sendable {
    /// What to append.
    package var batch: MessageBatch
    /// What it asks for; the lane sees to the fencing token.
    package var conditions = AppendConditions()
    /// When its caller needs the answer, by the log's uptime; `nil` for the log's own limit.
    package var deadline: Duration?
    /// Whom to tell.
    package var continuation: CheckedContinuation<Result<AppendReceipt, StreamsError>, Never>

    func isLate(at uptime: Duration) -> Bool { deadline.map { $0 <= uptime } ?? false }
}

/// What an append returns: the offsets of its messages.
package struct AppendReceipt: Sendable, Equatable {
    /// The offsets, in the order of the messages.
    package var range: Range<Offset>
    /// Whether the batch is that of an earlier request with the same idempotency key.
    package var isReplay = false

    /// Makes a receipt.
    package init(range: Range<Offset>, isReplay: Bool = false) {
        self.range = range
        self.isReplay = isReplay
    }
}

/// Natural batching, as a state machine: what arrives during an append of a lane goes together into the next one.
///
/// A topic has a lane for plain appends, one for each fencing token, and one for each append that needs a claim of its
/// own, so that these neither wait for the batches of others nor spoil them. One append of a lane is under way at a
/// time. No timer, and no added wait when idle.
///
/// A lane's states: *absent* (nothing waits, nothing runs) → ``enqueue(_:to:)`` → *running* → ``takeNext(of:)`` until
/// it returns `nil` → *absent*. After ``close()`` nothing is taken in, and what waits still runs.
package struct AppendQueues {
    private var waiting: [AppendLane: Deque<PendingAppend>] = [:]
    private var ownLaneCount: UInt64 = 0
    /// Whether ``close()`` was called.
    package private(set) var isClosed = false
    private let messagesMaximum: Int
    private let bytesMaximum: Int

    /// What the caller has to do after an ``enqueue(_:to:)``.
    package enum EnqueueAction: Equatable {
        /// Start a task that drains the lane.
        case startDraining
        /// A task that drains the lane is running and will find it.
        case none
        /// Refuse: the log is being closed.
        case refuse
    }

    /// Makes the queues; the bounds are for one combined batch, and a single larger request still passes alone.
    package init(messagesMaximum: Int, bytesMaximum: Int) {
        self.messagesMaximum = messagesMaximum
        self.bytesMaximum = bytesMaximum
    }

    /// The lane of an append: another one each time where it needs a claim of its own.
    package mutating func lane(of append: PendingAppend, in topic: TopicName) -> AppendLane {
        var lane = AppendLane(topic, fencingToken: append.conditions.fencingToken)
        guard append.conditions.needOwnClaim else { return lane }
        ownLaneCount += 1
        lane.number = ownLaneCount
        return lane
    }

    /// Adds an append to its lane's queue.
    package mutating func enqueue(_ append: PendingAppend, to lane: AppendLane) -> EnqueueAction {
        guard !isClosed else { return .refuse }
        let isRunning = waiting[lane] != nil
        waiting[lane, default: Deque()].append(append)
        return isRunning ? .none : .startDraining
    }

    /// The appends that go together next, in the order in which they came; `nil` ends the lane's run.
    package mutating func takeNext(of lane: AppendLane) -> [PendingAppend]? {
        guard var queue = waiting[lane], !queue.isEmpty else {
            waiting[lane] = nil
            return nil
        }
        // Taken out while it changes, so that the storage is not copied.
        waiting[lane] = Deque()
        var taken: [PendingAppend] = []
        var messages = 0
        var bytes = 0
        while let next = queue.first {
            messages += next.batch.messages.count
            bytes += next.batch.byteCount
            if !taken.isEmpty, messages > messagesMaximum || bytes > bytesMaximum { break }
            taken.append(queue.removeFirst())
        }
        waiting[lane] = queue
        return taken
    }

    /// Takes nothing in from now on.
    package mutating func close() {
        isClosed = true
    }

    /// How many appends of a lane wait for the one under way.
    package func waitingCount(of lane: AppendLane) -> Int { waiting[lane]?.count ?? 0 }

    /// The lanes that have an append under way or waiting, in order.
    package var activeLanes: [AppendLane] { waiting.keys.sorted() }

    /// How many lanes have an append under way or waiting.
    package var activeLaneCount: Int { waiting.count }
}
