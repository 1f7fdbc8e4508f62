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

    /// What became of a segment that was to be written at its claim.
    private enum Fate {
        /// It stands there: acknowledge.
        case stored
        /// Readers gave the range up: take a new claim.
        case filled
    }

    /// Writes the batches together as one segment; returns its offsets.
    ///
    /// - Throws: `unavailable` (nothing was written), `outcome_unknown`.
    func write(_ batches: [MessageBatch]) async throws(StreamsError) -> Range<Offset> {
        let begin = log.time.uptime()
        var deadline = begin + log.configuration.appendTimeout
        if let limit {
            // What is left must also be enough to settle the claim.
            deadline = min(deadline, limit - min(log.configuration.settleTimeout, (limit - begin) / 3))
        }
        return try await Deadline.with(deadline) { () async throws(StreamsError) in
            try await write(batches, by: deadline)
        }
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
            case .filled:
                log.counters.reclaimed()
                log.logger.debug("readers closed the claim first", metadata: ["topic": "\(topic)"])
                guard log.time.uptime() < deadline else { throw log.unavailable(.starved) }
            }
        }
    }

    // MARK: Claim

    private func claim(_ count: Int, until deadline: Duration) async throws(StreamsError) -> Claim {
        var request = ClaimRequest(topic: topic, count: count, id: log.makeAppendID(), at: log.time.now())
        if !Mutant.trustOldItems.isActive { request.trustedAge = log.configuration.trustedClaimAge }
        var backoff = Backoff(log.configuration)
        var isNew = false
        // Taken before the claim: what is stored only afterwards may well lie above it.
        var storedEnd = log.knownStoredEnd(of: topic)
        while true {
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
                case .noSuchTopic:
                    request.at = log.time.now()
                    _ = try await log.expectNoMessages(of: topic, from: nil)
                    isNew = true
                case .closed(let until):
                    try await log.recover(topic, closedUntil: until)
                    storedEnd = log.knownStoredEnd(of: topic)
                    request.at = log.time.now()
                }
            } catch {
                // A claim without a segment is a hole at most: nothing was written, whatever became of the call.
                try await pauseOrGiveUp(after: error, &backoff, until: deadline)
            }
        }
    }

    private func pauseOrGiveUp(
        after error: StoreError, _ backoff: inout Backoff, until deadline: Duration
    ) async throws(StreamsError) {
        guard error.code == .unavailable, error.isWorthRetrying, await backoff.pause(log.time, until: deadline) else {
            throw log.unavailable(error)
        }
    }

    private func encode(_ batches: [MessageBatch], at claim: Claim, appendID: AppendID) -> Segment {
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
    private func writeOnce(
        _ segment: Segment, for claim: Claim, until deadline: Duration
    ) async throws(StreamsError) -> Fate {
        var backoff = Backoff(log.configuration)
        var mayHaveBeenWritten = false
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
        let covering: Segment?
        do {
            covering = try await self.covering(segment.key)
        } catch {
            // It may be this segment that stands there: an adapter may have tried a put again by itself.
            throw StoreError(error.code, effect: .unknown, error.message)
        }
        switch covering?.outcome(of: segment.range, appendedBy: segment.appendID) {
        case .stored:
            return .stored
        case .givenUp:
            return .filled
        case .foreign:
            throw try await log.closeForRecovery(
                topic, since: "another writer's messages stand at offset \(segment.range.last)")
        case nil:
            throw StoreError(.unavailable, effect: .unknown, "What stands at the key could not be read.")
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
            throw mayHaveBeenWritten ? log.outcomeUnknown(error) : log.unavailable(error)
        }
        switch fate {
        case .stored: return .stored
        case .filled: throw log.unavailable(error)
        }
    }

    /// Settles a claim whose segment can not be written any more: it is too old.
    ///
    /// So old a claim may be stored and merged with others, its key free again: only where a list shows that nothing
    /// covers it, a filler closes it, signed with the time of that list.
    private func settleLate(_ segment: Segment, _ claim: Claim) async throws(StoreError) -> Fate {
        let listedAt = log.time.now()
        if !Mutant.settleUnseen.isActive, try await covering(segment.key) != nil { return try await fate(of: segment) }
        return try await settle(segment, claim, at: listedAt)
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
