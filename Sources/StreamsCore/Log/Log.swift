package import Logging
package import StreamsModel
import Synchronization

/// The log protocol over two storage ports: append with natural batching, read with the hole rules, wait at the tail.
///
/// Safe to use from any number of tasks. ``run()`` must be running for appends to proceed. What it promises is in
/// `docs/guarantees.md`, the rules that give it in `docs/protocol.md`.
package final class Log: Sendable {
    let table: any Table
    let segments: any SegmentStore
    let time: any TimeSource
    let makeAppendID: @Sendable () -> AppendID
    let configuration: LogConfiguration
    let logger: Logger

    let queues: Mutex<AppendQueues>
    let waiters = Mutex(TailWaiters())
    let holes = Mutex(HoleSightings())
    let storedEnds = Mutex(StoredEnds())
    /// What has happened so far, for the metrics.
    package let counters = LogCounters()
    /// What has happened to consumer groups.
    package let groupCounters = GroupCounters()

    private let drainRequests: AsyncStream<AppendLane>
    private let drainRequestsInput: AsyncStream<AppendLane>.Continuation
    private let pollRequests: AsyncStream<TopicName>
    let pollRequestsInput: AsyncStream<TopicName>.Continuation

    /// Makes a log.
    ///
    /// `makeAppendID` draws 128 random bits; two equal ids would let one batch pass for another.
    package init(
        table: any Table, segments: any SegmentStore, time: any TimeSource,
        makeAppendID: @escaping @Sendable () -> AppendID, configuration: LogConfiguration = LogConfiguration(),
        logger: Logger
    ) {
        self.table = table
        self.segments = segments
        self.time = time
        self.makeAppendID = makeAppendID
        self.configuration = configuration
        self.logger = logger
        self.queues = Mutex(
            AppendQueues(
                messagesMaximum: configuration.limits.batchMessages, bytesMaximum: configuration.segmentBytes))
        (drainRequests, drainRequestsInput) = AsyncStream.makeStream()
        (pollRequests, pollRequestsInput) = AsyncStream.makeStream()
    }

    /// Performs the appends; returns after ``close()``, when the last one has its answer.
    ///
    /// Appends run here and not in their callers' tasks, since a caller may be cancelled (its client hung up) while
    /// others wait for the same batch.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await withDiscardingTaskGroup { polls in
                    for await topic in self.pollRequests {
                        polls.addTask { await self.pollTail(of: topic) }
                    }
                    polls.cancelAll()
                }
            }
            // A group of their own: appends under way are finished, not cancelled.
            await withDiscardingTaskGroup { drains in
                for await lane in drainRequests {
                    drains.addTask { await self.drain(lane) }
                }
            }
            group.cancelAll()
        }
        // Where the task was cancelled before the log was closed: nobody may be left without an answer.
        close()
        for lane in queues.withLock({ $0.activeLanes }) { await drain(lane) }
    }

    /// Takes no more appends, lets those under way finish, and wakes everybody who waits.
    package func close() {
        queues.withLock { $0.close() }
        drainRequestsInput.finish()
        pollRequestsInput.finish()
        for waiter in waiters.withLock({ $0.close() }) { waiter.resume() }
    }

    /// Appends the messages of a batch, in order, with consecutive offsets, all or none.
    ///
    /// When it returns, the messages are durable, and every read that begins afterwards sees them. It answers by
    /// ``Deadline/current``, where there is one.
    /// - Throws: `unavailable` (nothing was written), `outcome_unknown` (it may have been); `offset_mismatch`, `fenced`,
    ///   `idempotency_key_reused` and `idempotency_key_expired` where a condition does not hold.
    package func append(
        _ batch: MessageBatch, to topic: TopicName, conditions: AppendConditions = AppendConditions()
    ) async throws(StreamsError) -> AppendReceipt {
        let result = await withCheckedContinuation { continuation in
            let pending = PendingAppend(
                batch: batch, conditions: conditions, deadline: Deadline.current, continuation: continuation)
            let action = queues.withLock { queues in
                let lane = queues.lane(of: pending, in: topic)
                let action = queues.enqueue(pending, to: lane)
                // Under the lock: after it, ``close()`` might end the requests before this one is among them.
                if action == .startDraining { drainRequestsInput.yield(lane) }
                return action
            }
            if action == .refuse { continuation.resume(returning: .failure(.shuttingDown)) }
        }
        return try result.get()
    }

    private func drain(_ lane: AppendLane) async {
        while let appends = queues.withLock({ $0.takeNext(of: lane) }) {
            let now = time.uptime()
            // Those whose time was up before their turn came must not hurry the others.
            for late in appends where late.isLate(at: now) { late.continuation.resume(returning: .failure(.tooLate)) }
            let appends = appends.filter { !$0.isLate(at: now) }
            guard !appends.isEmpty else { continue }
            do throws(StreamsError) {
                let receipt = try await write(appends, to: lane)
                announce(end: receipt.range.upperBound, of: lane.topic)
                if receipt.isReplay {
                    counters.replayed()
                } else {
                    counters.appended(requests: appends.count, messages: receipt.range.offsetCount)
                }
                var next = receipt.range.lowerBound
                for append in appends {
                    let end = next.advanced(by: append.batch.messages.count)
                    append.continuation.resume(
                        returning: .success(AppendReceipt(range: next..<end, isReplay: receipt.isReplay)))
                    next = end
                }
            } catch {
                counters.refused(error.code)
                for append in appends { append.continuation.resume(returning: .failure(error)) }
            }
        }
    }

    /// Writes what goes together, as one segment.
    private func write(_ appends: [PendingAppend], to lane: AppendLane) async throws(StreamsError) -> AppendReceipt {
        let written = Mutant.acknowledgeBatchInPart.isActive ? Array(appends.prefix(1)) : appends
        var writer = SegmentWriter(log: self, topic: lane.topic, limit: appends.compactMap(\.deadline).min())
        writer.fencingToken = lane.fencingToken
        // Who has a condition of that kind is alone in the lane.
        writer.expectedOffset = written[0].conditions.expectedOffset
        guard let idempotency = written[0].conditions.idempotency else {
            return AppendReceipt(range: try await writer.write(written.map(\.batch)))
        }
        return try await IdempotentAppend(writer: writer, batch: written[0].batch, idempotency: idempotency).perform()
    }

    /// Wakes the readers that wait for a topic to pass `end`.
    func announce(end: Offset, of topic: TopicName) {
        for waiter in waiters.withLock({ $0.announce(end: end, of: topic) }) { waiter.resume() }
    }
}

extension StreamsError {
    /// The caller's time was up before the append's turn came; nothing was written.
    static let tooLate = StreamsError(.unavailable, "There was no time left to write; nothing was written.") {
        $0.retryAfter = .seconds(1)
    }

    /// The log is being closed; nothing was written.
    static let shuttingDown = StreamsError(.unavailable, "The server is shutting down; nothing was written.") {
        $0.retryAfter = .seconds(1)
    }
}
