import Logging
package import StreamsModel
import Synchronization

extension Log {
    /// Reads messages in order.
    ///
    /// Stops before a write that has not finished; an answer may then be empty although `next` is below `end`. A topic
    /// that does not exist reads as empty.
    /// - Throws: `offset_trimmed`, `offset_beyond_end`, `unavailable`.
    package func read(_ request: ReadRequest) async throws(StreamsError) -> ReadPage {
        guard request.wait > .zero else { return try await look(request).page }
        let deadline = Deadline.atMost(time.uptime() + request.wait)
        let topic = request.topic
        let polls = configuration.tailPollInterval != nil
        let waiter = waiters.withLock { waiters in
            let waiter = waiters.watch(topic)
            if polls, waiters.beginPolling(topic) { pollRequestsInput.yield(topic) }
            return waiter
        }
        defer { waiters.withLock { $0.unwatch(topic) } }
        var request = request
        var lastPage: ReadPage?
        while true {
            let announced = waiters.withLock { $0.announcedEnd(of: topic) }
            let (page, holeDue): (ReadPage, Duration?)
            do {
                (page, holeDue) = try await look(request)
            } catch {
                // The caller's time ended the look: what the one before it found is an answer.
                if let lastPage, isPastDeadline { return lastPage }
                throw error
            }
            let remaining = deadline - time.uptime()
            if !page.slices.isEmpty || remaining <= .zero || Task.isCancelled || isClosed { return page }
            request.start = .offset(page.next)
            lastPage = page
            // At a hole another process may be the writer, whose success nothing here announces.
            let patience = holeDue.map { min($0, configuration.holeRecheckInterval) } ?? remaining
            await waitForGrowth(of: topic, as: waiter, beyond: announced, atMost: min(remaining, patience))
            if isPastDeadline { return page }
        }
    }

    /// One look at the topic, without waiting; `holeDue` is how long until the hole that stopped it may be closed.
    private func look(_ request: ReadRequest) async throws(StreamsError) -> (page: ReadPage, holeDue: Duration?) {
        var request = request
        while true {
            let storedEnd = knownStoredEnd(of: request.topic)
            let earlier = Mutant.claimStartFromEarlierRead.isActive ? try await self.head(of: request.topic) : nil
            var head = try await confirmedHead(of: request.topic, reaching: request.start) ?? .absent
            if let earlier { head.lastClaimStart = earlier.lastClaimStart }
            let isBehind = isBehind(head, storedEnd)
            let views = try await views(of: request.topic, head, reaching: request.start)
            let position = try await position(request, in: views, isBehind: isBehind)
            guard position < head.end || !isBehind else { throw .recovering }
            var (pass, view) = try await self.pass(views, from: position, request)
            var resolution = try await resolution(of: pass, of: view.topic, in: view.head)
            if case .unlisted = resolution {
                (pass, view) = try await self.pass(views, from: position, request, mayGuess: false)
                resolution = try await self.resolution(of: pass, of: view.topic, in: view.head)
            }
            let page = ReadPage(
                slices: pass.slices, next: pass.next, end: max(head.end, pass.next),
                topicCreatedAt: head == .absent || head.isDeleted ? nil : head.createdAt)
            switch resolution {
            case nil:
                if !pass.slices.isEmpty { noteStored(pass.next, of: request.topic) }
                return (page, nil)
            // What was asked for decides where to go on: the earliest message is another one now.
            case .trimmed, .unlisted: continue
            case .closed: request.start = .offset(pass.next)
            case .unfinished(let due): return (page, due)
            }
        }
    }

    /// One pass over all that a topic is read from; returns with it the view in which it ended.
    private func pass(
        _ views: TopicViews, from position: Offset, _ request: ReadRequest, mayGuess: Bool = true
    ) async throws(StreamsError) -> (SegmentReader.Pass, TopicViews.View) {
        var pass = SegmentReader.Pass(next: position)
        while true {
            let view = views.view(at: pass.next)
            // What stood at the key of the newest claim when a branch was made may have been merged since.
            let reader = SegmentReader(
                log: self, topic: view.topic, head: view.head, cut: view.cut, mayGuess: mayGuess && view.cut == nil)
            try await reader.extend(&pass, limit: request.limit, bytesMaximum: request.bytesMaximum)
            guard pass.gap == nil, let cut = view.cut, pass.next >= cut, pass.messageCount < request.limit,
                pass.hasRoom(below: request.bytesMaximum)
            else { return (pass, view) }
        }
    }

    /// What the gap that ended a pass is; `nil` where there is none, or there are messages to return before it.
    private func resolution(
        of pass: SegmentReader.Pass, of topic: TopicName, in head: TopicHead
    ) async throws(StreamsError) -> GapResolution? {
        guard pass.slices.isEmpty, let gap = pass.gap else { return nil }
        return try await resolve(gap, of: topic, in: head)
    }

    /// The offset that a request begins at.
    private func position(
        _ request: ReadRequest, in views: TopicViews, isBehind: Bool
    ) async throws(StreamsError) -> Offset {
        let head = views.head
        switch request.start {
        case .earliest:
            return head.earliest
        case .latest:
            return head.end
        case .since(let time):
            return try await firstOffset(since: time, in: views)
        case .offset(let offset) where offset > head.end && !isBehind:
            throw StreamsError(
                .offsetBeyondEnd, "Offset \(offset) lies past the end of \(request.topic), which is \(head.end)."
            ) { $0.endOffset = head.end }
        case .offset(let offset) where offset < head.earliest && Mutant.skipTrimmed.isActive:
            return head.earliest
        case .offset(let offset) where offset < head.earliest && request.jumpsOverTrimmed:
            return head.earliest
        case .offset(let offset) where offset < head.earliest:
            throw StreamsError(
                .offsetTrimmed,
                "Messages below offset \(head.earliest) of \(request.topic) are no longer kept; "
                    + "go on from there, or ask with on_trimmed=earliest."
            ) {
                $0.earliestOffset = head.earliest
                $0.endOffset = head.end
            }
        case .offset(let offset):
            return offset
        }
    }

    /// Waits until the topic is announced to end past `end`, the time is up, or the task is cancelled.
    ///
    /// `end` is what was announced before the last look. One child task a wait: a thousand readers wait here.
    private func waitForGrowth(
        of topic: TopicName, as waiter: UInt64, beyond end: Offset, atMost duration: Duration
    ) async {
        let deadline = time.uptime() + duration
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await self.time.sleep(for: duration)
                self.stopWaiting(waiter, topic)
            }
            await waitForAnnouncement(of: topic, as: waiter, beyond: end, until: deadline)
            group.cancelAll()
        }
    }

    private func waitForAnnouncement(
        of topic: TopicName, as waiter: UInt64, beyond end: Offset, until deadline: Duration
    ) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = waiters.withLock { $0.register(continuation, as: waiter, for: topic, beyond: end) }
                if !waits { continuation.resume() }
                // A cancellation, or an end of time, that came before the registration found nobody to wake.
                if waits, Task.isCancelled || time.uptime() >= deadline { stopWaiting(waiter, topic) }
            }
        } onCancel: {
            stopWaiting(waiter, topic)
        }
    }

    private func stopWaiting(_ waiter: UInt64, _ topic: TopicName) {
        waiters.withLock { $0.remove(waiter, from: topic) }?.resume()
    }

    /// Whether the counter went back: then it is no word on where the topic ends.
    ///
    /// `storedEnd` is what was known before the head was read: what is stored meanwhile may lie above it.
    func isBehind(_ head: TopicHead, _ storedEnd: Offset?) -> Bool {
        head.closedUntil != nil || storedEnd.map { $0 > head.end } ?? false
    }

    /// Up to where segments of a topic are known to be stored; `nil` where nothing is known.
    func knownStoredEnd(of topic: TopicName) -> Offset? { storedEnds.withLock { $0[topic] } }

    /// Looks the end of a topic up for all who wait for it, while somebody does: other processes append to it too.
    func pollTail(of topic: TopicName) async {
        guard let interval = configuration.tailPollInterval else { return }
        var pause = interval.lowerBound
        while !Task.isCancelled {
            try? await time.sleep(for: pause)
            guard waiters.withLock({ $0.goesOnPolling(topic) }) else { return }
            pause = min(pause * 3 / 2, interval.upperBound)
            guard let head = try? await table.head(of: topic) else { continue }
            if head.end > waiters.withLock({ $0.announcedEnd(of: topic) }) { pause = interval.lowerBound }
            announce(end: head.end, of: topic)
        }
    }

    /// Whether the caller at hand has no time left.
    package var isPastDeadline: Bool { Deadline.current.map { time.uptime() >= $0 } ?? false }

    /// Whether ``close()`` was called: readers are to end.
    package var isClosed: Bool { queues.withLock { $0.isClosed } }
}

extension Log {
    func head(of topic: TopicName) async throws(StreamsError) -> TopicHead? {
        try await reading { () async throws(StoreError) in try await self.table.head(of: topic) }
    }

    /// The state of a topic for a reader who wants to begin at `start`.
    ///
    /// That there is no topic, or that it ends below there, is held against what is stored: a reader that was further on
    /// may know more than an item that came from a backup.
    func confirmedHead(
        of topic: TopicName, reaching start: ReadRequest.Start = .earliest
    ) async throws(StreamsError) -> TopicHead? {
        let head = try await head(of: topic)
        var isDoubtful = head == nil
        if let head, case .offset(let offset) = start { isDoubtful = offset > head.end }
        guard isDoubtful, table.mayGoBack, !Mutant.readersTrustItems.isActive else { return head }
        return try await reading { () async throws(StoreError) in
            try await self.expectNoMessages(of: topic, from: head?.end) ?? head
        }
    }

    /// Calls a port for a reader: a failure of the store is the reader's `unavailable`.
    func reading<Value: Sendable>(
        _ call: () async throws(StoreError) -> Value
    ) async throws(StreamsError) -> Value {
        do {
            return try await call()
        } catch {
            logger.error("read failed", metadata: ["error": "\(error.message)"])
            throw StreamsError(.unavailable, error.publicDetail) { $0.retryAfter = .seconds(1) }
        }
    }
}

extension StreamsError {
    /// The topic's counter went back, and nobody knows where the topic ends until it is recovered.
    static let recovering = StreamsError(.unavailable, StoreError.Code.recovering.publicDetail) {
        $0.retryAfter = .seconds(1)
    }
}

extension TopicHead {
    /// What readers see of a topic that does not exist.
    static let absent = TopicHead(
        earliest: .first, end: .first, lastClaimStart: nil, lastClaimedAt: Timestamp(milliseconds: 0),
        createdAt: Timestamp(milliseconds: 0))
}
