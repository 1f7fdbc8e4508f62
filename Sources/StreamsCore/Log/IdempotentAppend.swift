import StreamsModel

/// Appends a batch under an idempotency key: once, however often and wherever the request comes.
///
/// The rules are those of "Exactly-once produce" in `docs/protocol.md`: claim, write the claim down with the key, and only
/// then write the batch. Whoever finds the record writes the same segment at the same key with the same time, so that
/// all attempts help one another to one outcome.
struct IdempotentAppend {
    private let writer: SegmentWriter
    private let batch: MessageBatch
    private let idempotency: AppendConditions.Idempotency

    /// A record that stands, and whether this attempt has put it there.
    struct Standing {
        var record: ProduceRecord
        var isOwn: Bool
    }

    private var log: Log { writer.log }
    private var topic: TopicName { writer.topic }

    init(writer: SegmentWriter, batch: MessageBatch, idempotency: AppendConditions.Idempotency) {
        var writer = writer
        writer.isRecorded = true
        self.writer = writer
        self.batch = batch
        self.idempotency = idempotency
    }

    /// Appends, or finds out what an earlier attempt has appended.
    ///
    /// - Throws: `idempotency_key_reused`, `idempotency_key_expired`, `offset_mismatch`, `fenced`, `unavailable` (this
    ///   attempt has written nothing), `outcome_unknown`.
    func perform() async throws(StreamsError) -> AppendReceipt {
        let deadline = writer.deadline
        return try await Deadline.with(deadline) { () async throws(StreamsError) in
            if Mutant.recordAfterPut.isActive || Mutant.recordBeforeClaim.isActive {
                return try await performWrongly(until: deadline)
            }
            return try await perform(until: deadline)
        }
    }

    private func perform(until deadline: Duration) async throws(StreamsError) -> AppendReceipt {
        let found = try await calling(until: deadline) { () async throws(StoreError) in try await self.found() }
        var standing: Standing
        if let found, found.expiresAt > log.time.now() {
            standing = Standing(record: found, isOwn: false)
        } else {
            standing = try await begin(replacing: found, until: deadline)
        }
        while true {
            switch try await settle(standing, until: deadline) {
            case .stored:
                log.noteStored(standing.record.claim.range.upperBound, of: topic)
                return AppendReceipt(range: standing.record.claim.range, isReplay: !standing.isOwn)
            case .filled:
                // With the condition, if there is one: the claim judges it.
                log.counters.reclaimed()
                guard log.time.uptime() < deadline else { throw log.unavailable(.starved) }
                standing = try await begin(replacing: standing.record, until: deadline)
            case .expired:
                throw .keyExpired
            }
        }
    }

    func found() async throws(StoreError) -> ProduceRecord? {
        try await log.table.produceRecord(of: idempotency.key, in: topic)
    }

    // MARK: Claim, record

    /// Takes a claim and writes it down; returns the record that stands then, which may be another attempt's.
    private func begin(
        replacing seen: ProduceRecord?, until deadline: Duration
    ) async throws(StreamsError) -> Standing {
        var seen = seen
        let claim = try await writer.claim(batch.messages.count, until: deadline)
        let record = record(of: claim)
        while true {
            let current = seen
            let result: ProduceRecord?
            do {
                result = try await calling(until: deadline) { () async throws(StoreError) in
                    try await self.set(record, replacing: current)
                }
            } catch {
                // Whoever may have found the record finds the claim closed, and moves on.
                await writer.abandon(claim)
                throw error
            }
            if let standing = result {
                let isOwn = standing.appendID == record.appendID
                if !isOwn { await writer.abandon(claim) }
                return Standing(record: standing, isOwn: isOwn)
            }
            // What was seen is gone, as expired records go.
            seen = nil
        }
    }

    func record(of claim: Claim) -> ProduceRecord {
        ProduceRecord(
            claim: claim, appendID: log.makeAppendID(), digest: idempotency.digest,
            expiresAt: claim.at.advanced(by: log.configuration.idempotencyExpiry))
    }

    func set(
        _ record: ProduceRecord, replacing seen: ProduceRecord?
    ) async throws(StoreError) -> ProduceRecord? {
        try await log.table.setProduceRecord(record, of: idempotency.key, in: topic, replacing: seen)
    }

    // MARK: Write

    /// Brings the recorded batch to its end, whoever began it.
    private func settle(
        _ standing: Standing, until deadline: Duration
    ) async throws(StreamsError) -> SegmentWriter.Fate {
        let record = standing.record
        if standing.isOwn { return try await write(record, isOwn: true, until: deadline) }
        let fate = try await calling(until: deadline, otherwise: .keyUnsettled) { () async throws(StoreError) in
            try await self.writer.fate(of: record.appendID, at: record.claim.range)
        }
        // A batch that was never written does not use its key up, whatever it was.
        if fate == .filled { return .filled }
        guard record.digest == idempotency.digest else { throw .keyReused }
        if fate == nil, Mutant.absentIsFilled.isActive { return .filled }
        // Read after the look at the key: what was there and has expired lies below the mark by now. What is there
        // still, below the mark, is gone for readers all the same.
        let head = try await calling(until: deadline, otherwise: .keyUnsettled) { () async throws(StoreError) in
            try await self.log.table.head(of: self.topic)
        }
        if let head, record.claim.range.lowerBound < head.earliest, !Mutant.writeAgainBelowLowMark.isActive {
            return .expired
        }
        if let fate { return fate }
        return try await write(record, isOwn: false, until: deadline)
    }

    private func write(
        _ record: ProduceRecord, isOwn: Bool, until deadline: Duration
    ) async throws(StreamsError) -> SegmentWriter.Fate {
        let segment = writer.encode([batch], at: record.claim, appendID: record.appendID)
        return try await writer.writeOnce(segment, for: record.claim, until: deadline, mayHaveBeenWritten: !isOwn)
    }

    /// Calls the store until it answers, or time is up: then `failure` is thrown, or that nothing was written.
    func calling<Value: Sendable>(
        until deadline: Duration, otherwise failure: StreamsError? = nil, _ call: () async throws(StoreError) -> Value
    ) async throws(StreamsError) -> Value {
        var backoff = Backoff(log.configuration)
        while true {
            do throws(StoreError) {
                return try await call()
            } catch {
                do {
                    try await writer.pauseOrGiveUp(after: error, &backoff, until: deadline)
                } catch {
                    throw failure ?? error
                }
            }
        }
    }

    // MARK: Wrong variants

    /// What two of the mutants do instead.
    private func performWrongly(until deadline: Duration) async throws(StreamsError) -> AppendReceipt {
        let found = try await calling(until: deadline) { () async throws(StoreError) in try await self.found() }
        if let found {
            let fate = try await calling(until: deadline) { () async throws(StoreError) in
                try await self.writer.fate(of: found.appendID, at: found.claim.range)
            }
            if fate == .stored { return AppendReceipt(range: found.claim.range, isReplay: true) }
        }
        if Mutant.recordBeforeClaim.isActive { return try await performOverGuess(until: deadline) }
        while true {
            let claim = try await writer.claim(batch.messages.count, until: deadline)
            let record = record(of: claim)
            guard try await write(record, isOwn: true, until: deadline) == .stored else { continue }
            let standing = try await calling(until: deadline) { () async throws(StoreError) in
                try await self.set(record, replacing: found)
            }
            return AppendReceipt(range: (standing ?? record).claim.range)
        }
    }

    /// The record names the offsets that the claim will most likely get.
    private func performOverGuess(until deadline: Duration) async throws(StreamsError) -> AppendReceipt {
        let head = try await log.head(of: topic) ?? .absent
        let guess = record(
            of: Claim(
                topic: topic, range: head.end..<head.end.advanced(by: batch.messages.count), previousClaim: nil,
                at: log.time.now()))
        _ = try await calling(until: deadline) { () async throws(StoreError) in
            try await self.set(guess, replacing: nil)
        }
        let claim = try await writer.claim(batch.messages.count, until: deadline)
        let segment = writer.encode([batch], at: claim, appendID: guess.appendID)
        guard try await writer.writeOnce(segment, for: claim, until: deadline) == .stored else { throw .keyUnsettled }
        return AppendReceipt(range: claim.range)
    }
}

extension StreamsError {
    /// The key came with another body before.
    static let keyReused = StreamsError(
        .idempotencyKeyReused,
        "The idempotency key was used with another body; nothing was written. Give each request a key of its own.")

    /// What the key stands for is gone.
    static let keyExpired = StreamsError(
        .idempotencyKeyExpired,
        "What was written with the idempotency key is no longer kept; nothing was written. A new key writes it again.")

    /// An earlier attempt may have written the batch.
    static let keyUnsettled = StreamsError(
        .outcomeUnknown, "The messages may or may not have been written. Repeat the request with the same key."
    ) { $0.retryAfter = .seconds(1) }
}
