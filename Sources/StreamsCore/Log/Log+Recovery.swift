import Logging
import StreamsModel
import Synchronization

/// Up to where segments are known to be stored: a claim below that shows that the topic's counter went back.
struct StoredEnds {
    private var ends: [TopicName: Offset] = [:]
    /// Bounds the memory: of a topic that is forgotten, a counter that went back shows later.
    private static let countMaximum = 100_000

    /// The offset after the highest one known to be stored; `nil` where nothing is known.
    subscript(topic: TopicName) -> Offset? { ends[topic] }

    mutating func note(_ end: Offset, of topic: TopicName) {
        if ends.count >= Self.countMaximum, ends[topic] == nil { ends.remove(at: ends.startIndex) }
        ends[topic] = max(ends[topic] ?? .first, end)
    }

    mutating func forget(_ topic: TopicName) {
        ends[topic] = nil
    }
}

/// What happens when a topic's item was lost or came back older than it was: the rules of "A counter that went
/// backwards" in `docs/protocol.md`.
extension Log {
    /// Remembers that segments are stored up to `end`.
    func noteStored(_ end: Offset, of topic: TopicName) {
        guard table.mayGoBack else { return }
        storedEnds.withLock { $0.note(end, of: topic) }
    }

    /// Makes sure, as far as that costs nothing, that a claim lies above everything that is stored.
    ///
    /// Keys that are written once do not do that alone: a batch whose key falls inside the range of another one finds
    /// its key free. What this process stored or read itself is compared; where it knows nothing of the topic and the
    /// claim before is old, as it is in a restored backup, one list shows what is there. `storedEnd` is what was known
    /// before the claim was taken.
    /// - Throws: `recovering` after the topic was closed.
    func verify(_ claim: Claim, knowing storedEnd: Offset?) async throws(StoreError) {
        guard table.mayGoBack else { return }
        if let storedEnd {
            guard claim.range.lowerBound >= storedEnd else {
                throw try await closeForRecovery(
                    claim.topic, since: "offset \(claim.range.lowerBound) was handed out again")
            }
            return
        }
        let isRecent = claim.previousClaimedAt.map { $0.duration(to: claim.at) < configuration.unverifiedClaimAge }
        guard isRecent != true else { return }
        // One key more than the claim has: the segment above it may reach into it.
        let limit = min(claim.range.offsetCount + 1, segments.keysPerList)
        let keys = try await segments.list(claim.topic, from: claim.range.lowerBound, limit: limit).map(\.key)
        let standing = try await segments.get(keys).compactMap { $0 }.filter { $0.range.overlaps(claim.range) }
        // Fillers are no evidence: readers may have given up waiting for this very claim.
        guard standing.allSatisfy({ $0.kind == .filler }) else {
            throw try await closeForRecovery(
                claim.topic, since: "messages are stored at offset \(claim.range.last), which was handed out anew")
        }
        if standing.isEmpty { noteStored(claim.range.lowerBound, of: claim.topic) }
    }

    /// Closes a topic for claims until no write that is under way can land any more; returns the error that says so.
    func closeForRecovery(_ topic: TopicName, since evidence: String) async throws(StoreError) -> StoreError {
        guard table.mayGoBack else {
            return StoreError(.corrupt, effect: .none, "The counter of \(topic) is behind its messages: \(evidence).")
        }
        let wait = configuration.recoveryWait
        logger.critical(
            "a topic's counter went back: closed for appends until it is recovered",
            metadata: ["topic": "\(topic)", "evidence": "\(evidence)", "seconds": "\(wait.components.seconds)"])
        try await table.close(topic, until: time.now().advanced(by: wait))
        counters.closed()
        storedEnds.withLock { $0.forget(topic) }
        return .recovering(topic, for: wait)
    }

    /// Opens a topic again that was closed until `closedUntil`, above everything that is stored.
    ///
    /// - Throws: `recovering` while it is too early.
    func recover(_ topic: TopicName, closedUntil: Timestamp) async throws(StoreError) {
        // What this process knew was known before; what is true now is in the table soon.
        storedEnds.withLock { $0.forget(topic) }
        let remaining = time.now().duration(to: closedUntil)
        guard remaining <= .zero else { throw .recovering(topic, for: remaining) }
        let lowest = try await segments.list(topic, from: .first, limit: 1).first?.key
        guard let lowest else {
            _ = try await table.reopen(topic, closedUntil: closedUntil, earliest: .first, end: .first, at: time.now())
            return
        }
        let end = try await highestKey(of: topic, from: lowest).last.advanced(by: 1)
        let earliest = try await segments.get([lowest])[0]?.range.lowerBound ?? lowest.last
        if try await table.reopen(topic, closedUntil: closedUntil, earliest: earliest, end: end, at: time.now()) {
            counters.reopened()
            logger.notice("a topic is open again", metadata: ["topic": "\(topic)", "end": "\(end)"])
        }
    }

    /// The highest key of a topic, by binary search over offsets: two lists of one key for each doubling of the topic.
    private func highestKey(of topic: TopicName, from lowest: SegmentKey) async throws(StoreError) -> SegmentKey {
        var highest = lowest
        var step: Int64 = 1
        // No key lies at or above this.
        var bound: Int64?
        while true {
            let probe = highest.last.rawValue.addingReportingOverflow(step)
            let isInside = !probe.overflow && bound.map { probe.partialValue < $0 } ?? true
            if isInside, let offset = Offset(probe.partialValue) {
                if let found = try await segments.list(topic, from: offset, limit: 1).first?.key {
                    highest = found
                    step *= bound == nil ? 2 : 1
                    continue
                }
                bound = probe.partialValue
            }
            guard step > 1 else { return highest }
            step /= 2
        }
    }
}

extension StoreError {
    /// The topic is closed for appends for some time yet.
    static func recovering(_ topic: TopicName, for wait: Duration) -> StoreError {
        var error = StoreError(
            .recovering, effect: .none,
            "The counter of \(topic) is behind its messages; appends go on in \(wait.components.seconds + 1) s.")
        error.retryAfter = wait
        return error
    }
}
