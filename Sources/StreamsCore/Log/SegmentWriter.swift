import Logging
import StreamsModel

/// Writes one batch of a topic: claim, write once, acknowledge.
///
/// The rules are those of "Append" in `docs/protocol.md`.
struct SegmentWriter {
    let log: Log
    let topic: TopicName
    /// When the caller needs the answer, if that is earlier than the log's own limit.
    let limit: Duration?
    /// What must be the topic's fencing token.
    var fencingToken: FencingToken?
    /// Where the first message must come to stand.
    var expectedOffset: Offset?
    /// Whether the claim is written down with an idempotency key, so that others may write the same segment.
    var isRecorded = false

    /// What became of a segment that was to be written at its claim.
    enum Fate {
        /// It stands there: acknowledge.
        case stored
        /// Readers gave the range up: take a new claim.
        case filled
        /// It may have stood there, below the low mark; only of a recorded claim.
        case expired
    }

    /// Writes the batches together as one segment; returns its offsets.
    ///
    /// - Throws: `unavailable` (nothing was written), `outcome_unknown`.
    func write(_ batches: [MessageBatch]) async throws(StreamsError) -> Range<Offset> {
        let deadline = self.deadline
        return try await Deadline.with(deadline) { () async throws(StreamsError) in
            try await write(batches, by: deadline)
        }
    }

    /// Until when an append that begins now may try.
    var deadline: Duration {
        let begin = log.time.uptime()
        let deadline = begin + log.configuration.appendTimeout
        guard let limit else { return deadline }
        // What is left must also be enough to settle the claim.
        return min(deadline, limit - min(log.configuration.settleTimeout, (limit - begin) / 3))
    }

    private func write(_ batches: [MessageBatch], by deadline: Duration) async throws(StreamsError) -> Range<Offset> {
        let appendID = log.makeAppendID()
        let count = batches.reduce(0) { $0 + $1.messages.count }
        while true {
            let claim = try await self.claim(count, until: deadline)
            let segment = encode(batches, at: claim, appendID: appendID)
            switch try await writeOnce(segment, for: claim, until: deadline) {
            case .stored:
                log.noteStored(claim.range.upperBound, of: topic)
                return claim.range
            case .filled, .expired:
                try await prepareAnotherClaim(until: deadline)
                guard expectedOffset != nil else { continue }
                // Only a mutant comes here.
                var blind = self
                blind.expectedOffset = nil
                return try await blind.write(batches, by: deadline)
            }
        }
    }

    /// Called when readers have closed a claim before it was written.
    ///
    /// - Throws: `offset_mismatch` where the next claim could not be what was asked for, `unavailable` where there is no
    ///   time for one.
    func prepareAnotherClaim(until deadline: Duration) async throws(StreamsError) {
        log.counters.reclaimed()
        log.logger.debug("readers closed the claim first", metadata: ["topic": "\(topic)"])
        // What was expected can not come true any more: the claim itself has moved the end.
        if let expectedOffset, !Mutant.claimAnewWithoutCondition.isActive {
            guard let head = try? await log.table.head(of: topic) else { throw log.unavailable(.starved) }
            throw .mismatch(topic, expected: expectedOffset, end: head.end)
        }
        guard log.time.uptime() < deadline else { throw log.unavailable(.starved) }
    }

    // MARK: Claim

    /// Takes a claim that meets the conditions.
    ///
    /// - Throws: `offset_mismatch`, `fenced`, `unavailable`; nothing was written.
    func claim(_ count: Int, until deadline: Duration) async throws(StreamsError) -> Claim {
        var request = ClaimRequest(
            topic: topic, count: count, id: log.makeAppendID(), at: log.time.now(), expectedEnd: expectedOffset,
            fencingToken: fencingToken)
        if !Mutant.trustOldItems.isActive { request.trustedAge = log.configuration.trustedClaimAge }
        if Mutant.checkEndBeforeClaim.isActive || Mutant.checkTokenBeforeClaim.isActive {
            try await checkBeforeClaim(&request)
        }
        var backoff = Backoff(log.configuration)
        var isNew = false
        // Taken before the claim: what is stored only afterwards may well lie above it.
        var storedEnd = log.knownStoredEnd(of: topic)
        while true {
            let refusal: StreamsError
            do throws(StoreError) {
                switch try await isNew ? log.table.claimCreating(request) : log.table.claim(request) {
                case .claimed(let claim):
                    try await log.expectNew(claim, above: storedEnd)
                    return claim
                case .unconfirmed(let end):
                    // What is confirmed now is to be claimed soon: the request carries the time of the list.
                    request.at = log.time.now()
                    _ = try await log.expectNoMessages(of: topic, from: end)
                    request.confirmedEnd = end
                    continue
                case .noSuchTopic:
                    request.at = log.time.now()
                    var standing = try await log.expectNoMessages(of: topic, from: nil)
                    // Of a deleted topic only the table knows the end: it judges the conditions.
                    if standing == nil, refusalOfNewTopic != nil || expectedOffset != nil {
                        standing = try await log.table.head(of: topic)
                    }
                    // What is refused creates nothing.
                    guard standing == nil, let missing = refusalOfNewTopic else {
                        isNew = true
                        continue
                    }
                    refusal = missing
                case .closed(let until):
                    try await log.recover(topic, closedUntil: until)
                    storedEnd = log.knownStoredEnd(of: topic)
                    request.at = log.time.now()
                    continue
                case .endMismatch(let end):
                    refusal = .mismatch(topic, expected: request.expectedEnd ?? end, end: end)
                case .fenced:
                    refusal = .fenced(topic)
                }
            } catch {
                // A claim without a segment is a hole at most: nothing was written, whatever became of the call.
                try await pauseOrGiveUp(after: error, &backoff, until: deadline)
                continue
            }
            throw refusal
        }
    }

    /// What two of the mutants do instead of conditions.
    private func checkBeforeClaim(_ request: inout ClaimRequest) async throws(StreamsError) {
        guard let head = try await log.head(of: topic) else { return }
        if Mutant.checkTokenBeforeClaim.isActive, fencingToken != head.fencingToken { throw .fenced(topic) }
        guard Mutant.checkEndBeforeClaim.isActive, let expectedOffset else { return }
        if expectedOffset != head.end { throw .mismatch(topic, expected: expectedOffset, end: head.end) }
        request.expectedEnd = nil
    }

    /// Why a topic that does not exist can not meet the conditions; `nil` where it can.
    private var refusalOfNewTopic: StreamsError? {
        if fencingToken != nil { return .fenced(topic) }
        guard let expectedOffset, expectedOffset != .first else { return nil }
        return .mismatch(topic, expected: expectedOffset, end: .first)
    }

    func pauseOrGiveUp(
        after error: StoreError, _ backoff: inout Backoff, until deadline: Duration
    ) async throws(StreamsError) {
        guard error.code == .unavailable, error.isWorthRetrying, await backoff.pause(log.time, until: deadline) else {
            throw log.unavailable(error)
        }
    }

    /// The segment of the batches at a claim: equal claims and ids give equal segments.
    func encode(_ batches: [MessageBatch], at claim: Claim, appendID: AppendID) -> Segment {
        var encoder = SegmentEncoder(
            first: claim.range.lowerBound, timestamp: claim.at,
            batchBytes: batches.reduce(0) { $0 + $1.byteCount }, count: claim.range.offsetCount)
        for batch in batches { encoder.append(batch) }
        return Segment(
            topic: topic, range: claim.range, kind: .messages, appendID: appendID,
            previousClaim: claim.previousClaim, timestamp: claim.at, body: encoder.body)
    }

    // MARK: Write once

    /// Puts the segment until its fate is known or time is up.
    ///
    /// The same key, id and claim time at each try: whichever
    /// of them arrives first is the one that counts.
    func writeOnce(
        _ segment: Segment, for claim: Claim, until deadline: Duration, mayHaveBeenWritten: Bool = false
    ) async throws(StreamsError) -> Fate {
        var backoff = Backoff(log.configuration)
        var mayHaveBeenWritten = mayHaveBeenWritten
        // A clock that turned out to be ahead while the claim was taken must not let the write land later.
        let signedAt = min(claim.at, log.time.now())
        while true {
            do throws(StoreError) {
                switch try await log.segments.put(segment, signedAt: signedAt) {
                case .stored: return .stored
                case .taken where Mutant.takenIsStored.isActive: return .stored
                case .taken where Mutant.takenIsFilled.isActive: return .filled
                case .taken: return try await fate(of: segment)
                }
            } catch {
                if Mutant.acknowledgeUnwritten.isActive { return .stored }
                if Mutant.claimAnewAfterUnknown.isActive, error.effect == .unknown { return .filled }
                if error.effect == .unknown { mayHaveBeenWritten = true }
                if error.code == .signedTooLongAgo, let fate = try? await settleLate(segment, claim) { return fate }
                let isWorthAnotherTry = error.code == .unavailable && error.isWorthRetrying
                guard isWorthAnotherTry, await backoff.pause(log.time, until: deadline) else {
                    return try await giveUp(segment, claim, mayHaveBeenWritten: mayHaveBeenWritten, error)
                }
            }
        }
    }

    /// What became of a segment that found its key taken.
    private func fate(of segment: Segment) async throws(StoreError) -> Fate {
        do {
            if let fate = try await fate(of: segment.appendID, at: segment.range) { return fate }
        } catch {
            // It may be this segment that stands there: an adapter may have tried a put again by itself.
            throw error.code == .recovering ? error : StoreError(error.code, effect: .unknown, error.message)
        }
        throw StoreError(.unavailable, effect: .unknown, "What stands at the key could not be read.")
    }

    /// What became of the segment of an append that belongs at a range; `nil` where nothing stands there.
    func fate(of appendID: AppendID, at range: Range<Offset>) async throws(StoreError) -> Fate? {
        let covering = try await covering(SegmentKey(topic: topic, last: range.last))
        switch covering?.outcome(of: range, appendedBy: appendID) {
        case .stored:
            return .stored
        case .givenUp:
            return .filled
        case .foreign where isRecorded:
            // The record outlived a counter that went back: its batch is not there, and never will be. Whether the
            // counter is all right now, the next claim shows.
            if let covering { log.noteStored(covering.range.upperBound, of: topic) }
            return .filled
        case .foreign:
            throw try await log.closeForRecovery(
                topic, since: "another writer's messages stand at offset \(range.last)")
        case nil:
            return nil
        }
    }

    /// What stands at a key or, where that was merged away meanwhile, what covers its offset now.
    private func covering(_ key: SegmentKey) async throws(StoreError) -> Segment? {
        if let standing = try await log.segments.getUncached([key])[0] { return standing }
        if Mutant.missingIsFilled.isActive {
            return .filler(
                topic, key.last..<key.last.advanced(by: 1), appendID: log.makeAppendID(), timestamp: log.time.now())
        }
        for _ in 0..<SegmentReader.relistMaximum {
            guard let next = try await log.segments.list(topic, from: key.last, limit: 1).first else { return nil }
            // Merged away since the list.
            guard let standing = try await log.segments.getUncached([next.key])[0] else { continue }
            // What lies above the offset says nothing of a segment that was there and is gone.
            return standing.range.contains(key.last) ? standing : nil
        }
        throw StoreError(.unavailable, effect: .unknown, "The topic is being rearranged.")
    }

    /// The last step when time is up or trying again is of no use: settles the claim, if that can be done, so that the
    /// answer can be a sure one and no reader has to wait for the hole.
    private func giveUp(
        _ segment: Segment, _ claim: Claim, mayHaveBeenWritten: Bool, _ error: StoreError
    ) async throws(StreamsError) -> Fate {
        // Another writer's messages stand at the key: it is settled.
        if error.code == .recovering { throw log.unavailable(error) }
        if !mayHaveBeenWritten, await log.table.release(claim) { throw log.unavailable(error) }
        let fate: Fate
        do throws(StoreError) {
            let end = log.time.uptime() + log.configuration.settleTimeout
            fate = try await Deadline.with(limit.map { min($0, end) } ?? end) { () async throws(StoreError) in
                try await settle(segment, claim, at: claim.at)
            }
        } catch {
            if Mutant.unknownIsRefused.isActive { throw log.unavailable(error) }
            guard mayHaveBeenWritten else { throw log.unavailable(error) }
            throw isRecorded ? .keyUnsettled : log.outcomeUnknown(error)
        }
        switch fate {
        case .stored: return .stored
        case .filled, .expired: throw log.unavailable(error)
        }
    }

    /// Settles a claim whose segment can not be written any more: it is too old.
    ///
    /// So old a claim may be stored and merged with others, its key free again: only where a list shows that nothing
    /// covers it, a filler closes it, signed with the time of that list.
    private func settleLate(_ segment: Segment, _ claim: Claim) async throws(StoreError) -> Fate {
        if isRecorded { return try await settleRecorded(claim, appendID: segment.appendID) }
        let listedAt = log.time.now()
        if !Mutant.settleUnseen.isActive, try await covering(segment.key) != nil { return try await fate(of: segment) }
        return try await settle(segment, claim, at: listedAt)
    }

    /// Settles a recorded claim for which nothing can be written any more: somebody may have done so long ago, and it
    /// may have been merged, or have expired since.
    func settleRecorded(_ claim: Claim, appendID: AppendID) async throws(StoreError) -> Fate {
        let listedAt = log.time.now()
        if let fate = try await fate(of: appendID, at: claim.range) { return fate }
        // Read after the list: what has expired by then lies below the mark.
        guard let head = try await log.table.head(of: topic), claim.range.upperBound <= head.end else {
            // The counter went back: its offsets will be handed out again.
            return .filled
        }
        if claim.range.lowerBound < head.earliest, !Mutant.writeAgainBelowLowMark.isActive { return .expired }
        if let settled = head.settledBelow, claim.range.upperBound <= settled { return .filled }
        // Of one offset: what lies below may have been given out anew.
        let filler = Segment.filler(
            topic, claim.range.last..<claim.range.upperBound, appendID: log.makeAppendID(), timestamp: listedAt)
        guard case .taken = try await log.segments.put(filler, signedAt: listedAt) else {
            log.counters.filled()
            return .filled
        }
        guard let fate = try await fate(of: appendID, at: claim.range) else {
            throw StoreError(.unavailable, effect: .unknown, "What stands at the key could not be read.")
        }
        return fate
    }

    /// Gives up a claim for which nothing was or will be written, so that no reader has to wait for the hole.
    func abandon(_ claim: Claim) async {
        if await log.table.release(claim) { return }
        let filler = Segment.filler(
            topic, claim.range, appendID: log.makeAppendID(), previousClaim: claim.previousClaim, timestamp: claim.at)
        let end = log.time.uptime() + log.configuration.settleTimeout
        let outcome = try? await Deadline.with(limit.map { min($0, end) } ?? end) { () async throws(StoreError) in
            try await log.segments.put(filler, signedAt: claim.at)
        }
        if outcome == .stored { log.counters.filled() }
    }

    /// Tries once to close the claim with a filler; returns what the claim came to.
    private func settle(
        _ segment: Segment, _ claim: Claim, at signedAt: Timestamp
    ) async throws(StoreError) -> Fate {
        let filler = Segment.filler(
            topic, claim.range, appendID: log.makeAppendID(), previousClaim: claim.previousClaim, timestamp: claim.at)
        switch try await log.segments.put(filler, signedAt: signedAt) {
        case .stored:
            log.counters.filled()
            return .filled
        case .taken:
            return try await fate(of: segment)
        }
    }
}

extension Log {
    /// The answer for a store that failed while certainly nothing was written.
    func unavailable(_ error: StoreError) -> StreamsError {
        logger.error("append refused", metadata: ["error": "\(error.message)"])
        return StreamsError(.unavailable, error.publicDetail + " Nothing was written.") {
            $0.retryAfter = error.retryAfter ?? .seconds(1)
        }
    }

    /// The answer where an append may have been written.
    func outcomeUnknown(_ error: StoreError) -> StreamsError {
        logger.error("append with unknown outcome", metadata: ["error": "\(error.message)"])
        return StreamsError(
            .outcomeUnknown,
            "The messages may or may not have been written. Read the end of the topic before you repeat them."
        ) { $0.retryAfter = .seconds(1) }
    }
}

extension StoreError {
    /// Readers closed each claim before its segment was there.
    static let starved = StoreError(.unavailable, effect: .none, "Readers closed every claim before it was written.")

    /// What a client may know of the failure.
    var publicDetail: String { code.publicDetail }
}

extension StoreError.Code {
    /// What a client may know of such a failure.
    var publicDetail: String {
        switch self {
        case .unavailable, .signedTooLongAgo: "The store does not answer."
        case .outOfSpace: "The store has no space left."
        case .corrupt: "The topic needs the operator: what is stored is inconsistent."
        case .closed: "The server is shutting down."
        case .recovering: "The topic's counter is behind its messages; appends go on when it is recovered."
        case .misconfigured: "The store refuses the server; its operator finds the reason in its log."
        }
    }
}
