package import StreamsModel

/// What a consumer asks of its group.
package struct ReceiveRequest: Sendable {
    /// The group; one that is not there begins at the topic's earliest message.
    package var group: GroupKey
    /// Who receives, by a name that no other consumer of the group has.
    package var consumer: String
    /// The generation that the consumer knows of, where it says so: another one of its own is not gone on with.
    package var generation: Generation?
    /// Most messages, at least 1.
    package var limit: Int
    /// Most payload bytes; one message comes however large it is.
    package var bytesMaximum: Int
    /// How long to wait for a first message.
    package var wait: Duration
    /// For how long the lease is taken, or renewed.
    package var lease: Duration
    /// Cuts a page down to what the front can carry, before it counts as handed out.
    package var fit: @Sendable (ReadPage) -> ReadPage

    /// Makes a request.
    package init(
        group: GroupKey, consumer: String, generation: Generation? = nil, limit: Int, bytesMaximum: Int,
        wait: Duration = .zero, lease: Duration = .seconds(30),
        fit: @escaping @Sendable (ReadPage) -> ReadPage = { $0 }
    ) {
        self.generation = generation
        self.group = group
        self.consumer = consumer
        self.limit = limit
        self.bytesMaximum = bytesMaximum
        self.wait = wait
        self.lease = lease
        self.fit = fit
    }
}

/// What a consumer got: messages in order, its own until the lease ends.
package struct Received: Sendable, Equatable {
    /// The generation to commit under.
    package var generation: Generation
    /// Where the messages begin.
    package var from: Offset
    /// The messages.
    package var page: ReadPage
    /// When the lease ends unless it is renewed.
    package var leaseExpiresAt: Timestamp
}

/// One receive: reads first, then takes or renews the lease by one conditional write that says what is handed out, and
/// hands it out only if that write found the group as it was.
struct GroupReceiver {
    let log: Log
    let request: ReceiveRequest

    /// What came of one try.
    private enum Attempt {
        case received(Received)
        /// The group changed meanwhile: look again.
        case overtaken
        /// The group belongs to a topic that is gone: it is as good as none.
        case stale
    }

    func receive() async throws(StreamsError) -> Received {
        var replacesStale = false
        for _ in 0..<Log.groupTryMaximum {
            let candidate = try await log.groupOrNew(request.group, replacesStale: replacesStale)
            switch try await attempt(candidate.group, candidate.seen) {
            case .received(let received):
                log.groupCounters.received()
                return received
            case .overtaken: continue
            case .stale: replacesStale = true
            }
        }
        throw .contendedGroup
    }

    private func attempt(_ group: Group, _ seen: AppendID?) async throws(StreamsError) -> Attempt {
        let turn: GroupTurn
        do throws(GroupRefusal) {
            turn = try group.turn(of: request.consumer, knowing: request.generation, at: log.time.now())
        } catch {
            guard try await isOfToday(group) else { return .stale }
            throw log.refusal(error, of: request.group)
        }
        guard let page = try await read(from: turn.position, wait: .zero, for: group) else { return .stale }
        if page.slices.isEmpty, request.wait > .zero {
            return try await wait(from: page.next, in: turn, of: group, seen)
        }
        return try await handOut(page, in: turn, of: group, seen)
    }

    /// Whether a group's topic is still the one that it was made for.
    private func isOfToday(_ group: Group) async throws(StreamsError) -> Bool {
        try await log.info(of: request.group.topic).createdAt == group.topicCreatedAt
    }

    private func handOut(
        _ page: ReadPage, in turn: GroupTurn, of group: Group, _ seen: AppendID?
    ) async throws(StreamsError) -> Attempt {
        let now = log.time.now()
        let lease = lease(for: request.lease, from: now)
        let new = group.handingOut(to: page.next, in: turn, under: lease, version: log.makeAppendID())
        let isStored = try await log.store(new, replacing: seen, at: now)
        guard isStored || Mutant.handOutWithoutLease.isActive else { return .overtaken }
        if turn.isNew { log.groupCounters.leaseTaken() }
        return .received(try received(page, from: turn.position, in: turn.generation, lease))
    }

    // MARK: Wait

    /// Takes the lease, waits for messages, and hands them out if the lease is still the same one.
    ///
    /// The lease comes first, so that others hear of it. A new one is never taken after the wait: who lost it has to be
    /// told.
    private func wait(
        from position: Offset, in turn: GroupTurn, of group: Group, _ seen: AppendID?
    ) async throws(StreamsError) -> Attempt {
        let now = log.time.now()
        let first = lease(for: max(request.lease, request.wait), from: now)
        var current = group.handingOut(to: turn.position, in: turn, under: first, version: log.makeAppendID())
        guard try await log.store(current, replacing: seen, at: now) else { return .overtaken }
        if turn.isNew { log.groupCounters.leaseTaken() }
        // Deleted and made again meanwhile: the group is gone with the topic that it was made for.
        guard let page = try await read(from: position, wait: waitWithinDeadline, for: group) else {
            throw log.refusal(.leaseLost, of: request.group)
        }
        // Nobody is there any more to hand anything to.
        guard !Task.isCancelled else { throw .shuttingDown }
        for _ in 0..<Log.groupTryMaximum {
            let now = log.time.now()
            let lease = lease(for: request.lease, from: now)
            let renewal = GroupTurn(generation: turn.generation, position: turn.position, isNew: false)
            let new = current.handingOut(to: page.next, in: renewal, under: lease, version: log.makeAppendID())
            if try await log.store(new, replacing: current.version, at: now) {
                return .received(try received(page, from: turn.position, in: turn.generation, lease))
            }
            // A commit of what was handed out before may have come between. Anything else ends it.
            guard let standing = try await log.standingGroup(request.group),
                standing.generation == turn.generation, standing.lease?.consumer == request.consumer,
                standing.delivered == turn.position
            else { throw log.refusal(.leaseLost, of: request.group) }
            current = standing
        }
        throw .contendedGroup
    }

    /// How long to wait so that there is time left for the write afterwards.
    private var waitWithinDeadline: Duration {
        guard let deadline = Deadline.current else { return request.wait }
        return max(.zero, min(request.wait, deadline - log.time.uptime() - .seconds(2)))
    }

    // MARK: Parts

    private func lease(for length: Duration, from now: Timestamp) -> GroupLease {
        GroupLease(consumer: request.consumer, expiresAt: now.advanced(by: length), length: request.lease)
    }

    /// What is handed out; a lease whose word comes when it has ended is worth nothing.
    private func received(
        _ page: ReadPage, from position: Offset, in generation: Generation, _ lease: GroupLease
    ) throws(StreamsError) -> Received {
        guard log.time.now() < lease.expiresAt else { throw log.refusal(.leaseLost, of: request.group) }
        return Received(generation: generation, from: position, page: page, leaseExpiresAt: lease.expiresAt)
    }

    /// What a group has to read; `nil` where its topic is another one by now than the one that it was made for.
    private func read(
        from position: Offset, wait: Duration, for group: Group
    ) async throws(StreamsError) -> ReadPage? {
        let page: ReadPage
        do throws(StreamsError) {
            page = try await log.read(
                ReadRequest(
                    topic: request.group.topic, start: .offset(position), limit: request.limit,
                    bytesMaximum: request.bytesMaximum, wait: wait))
        } catch {
            guard error.code == .offsetTrimmed || error.code == .offsetBeyondEnd else { throw error }
            guard try await isOfToday(group) else { return nil }
            throw named(error, at: position)
        }
        guard let topicCreatedAt = page.topicCreatedAt else { throw .topicNotFound(request.group.topic) }
        let isSameTopic = topicCreatedAt == group.topicCreatedAt
        return isSameTopic || (wait > .zero && Mutant.waitIntoNextLife.isActive) ? request.fit(page) : nil
    }

    /// The failure of a read, in words for somebody who did not choose the offset.
    private func named(_ error: StreamsError, at position: Offset) -> StreamsError {
        guard error.code == .offsetTrimmed, let earliest = error.context.earliestOffset else { return error }
        var error = error
        error.detail =
            "The group \(request.group.name) stands at offset \(position), but messages below \(earliest) of "
            + "\(request.group.topic) are no longer kept; seek the group to \"earliest\" to go on."
        return error
    }
}
