import DequeModule
package import StreamsModel

/// An append that waits for its turn.
package struct PendingAppend: Sendable {
    /// What to append.
    package var batch: MessageBatch
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
}

/// Natural batching, as a state machine: what arrives during an append of a topic goes together into the next one.
///
/// One append of a topic is under way at a time. No timer, and no added wait when idle.
///
/// A topic's states: *absent* (nothing waits, nothing runs) → ``enqueue(_:to:)`` → *running* → ``takeNext(of:)`` until
/// it returns `nil` → *absent*. After ``close()`` nothing is taken in, and what waits still runs.
package struct AppendQueues {
    private var waiting: [TopicName: Deque<PendingAppend>] = [:]
    /// Whether ``close()`` was called.
    package private(set) var isClosed = false
    private let messagesMaximum: Int
    private let bytesMaximum: Int

    /// What the caller has to do after an ``enqueue(_:to:)``.
    package enum EnqueueAction: Equatable {
        /// Start a task that drains the topic.
        case startDraining
        /// A task that drains the topic is running and will find it.
        case none
        /// Refuse: the log is being closed.
        case refuse
    }

    /// Makes the queues; the bounds are for one combined batch, and a single larger request still passes alone.
    package init(messagesMaximum: Int, bytesMaximum: Int) {
        self.messagesMaximum = messagesMaximum
        self.bytesMaximum = bytesMaximum
    }

    /// Adds an append to its topic's queue.
    package mutating func enqueue(_ append: PendingAppend, to topic: TopicName) -> EnqueueAction {
        guard !isClosed else { return .refuse }
        let isRunning = waiting[topic] != nil
        waiting[topic, default: Deque()].append(append)
        return isRunning ? .none : .startDraining
    }

    /// The appends that go together next, in the order in which they came; `nil` ends the topic's run.
    package mutating func takeNext(of topic: TopicName) -> [PendingAppend]? {
        guard var queue = waiting[topic], !queue.isEmpty else {
            waiting[topic] = nil
            return nil
        }
        // Taken out while it changes, so that the storage is not copied.
        waiting[topic] = Deque()
        var taken: [PendingAppend] = []
        var messages = 0
        var bytes = 0
        while let next = queue.first {
            messages += next.batch.messages.count
            bytes += next.batch.byteCount
            if !taken.isEmpty, messages > messagesMaximum || bytes > bytesMaximum { break }
            taken.append(queue.removeFirst())
        }
        waiting[topic] = queue
        return taken
    }

    /// Takes nothing in from now on.
    package mutating func close() {
        isClosed = true
    }

    /// How many appends of a topic wait for the one under way.
    package func waitingCount(of topic: TopicName) -> Int { waiting[topic]?.count ?? 0 }

    /// The topics that have an append under way or waiting, in name order.
    package var activeTopics: [TopicName] { waiting.keys.sorted() }

    /// How many topics have an append under way or waiting.
    package var activeTopicCount: Int { waiting.count }
}
