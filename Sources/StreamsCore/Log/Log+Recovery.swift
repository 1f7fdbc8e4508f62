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
}

/// What happens when a topic's item was lost or came back older than it was: the rules of "A counter that went
/// backwards" in `docs/protocol.md`.
extension Log {
    /// Remembers that segments are stored up to `end`.
    func noteStored(_ end: Offset, of topic: TopicName) {
        guard table.mayGoBack else { return }
        storedEnds.withLock { $0.note(end, of: topic) }
    }

    /// Makes sure that a claim lies above everything that this process has stored or read itself: keys that are written
    /// once do not do that alone, since a batch whose key falls inside the range of another one finds its key free.
    ///
    /// `storedEnd` is what was known before the claim was taken.
    /// - Throws: `recovering` after the topic was closed.
    func expectNew(_ claim: Claim, above storedEnd: Offset?) async throws(StoreError) {
        guard table.mayGoBack, let storedEnd, claim.range.lowerBound < storedEnd else { return }
        throw try await closeForRecovery(claim.topic, since: "offset \(claim.range.lowerBound) was handed out again")
    }

    /// Makes sure that nothing is stored at or above the end that an item tells, or at all where there is none (`nil`):
    /// else the item was lost or set back, and what it tells is not so.
    ///
    /// Returns the item where somebody has moved it on meanwhile.
    /// - Throws: `recovering` after the topic was closed.
    func expectNoMessages(of topic: TopicName, from end: Offset?) async throws(StoreError) -> TopicHead? {
        if Mutant.createOverMessages.isActive, end == nil { return nil }
        guard let found = try await segments.list(topic, from: end ?? .first, limit: 1).first else { return nil }
        if let current = try await table.head(of: topic), current.closedUntil != nil || current.end > found.key.last {
            return current
        }
        throw try await closeForRecovery(topic, since: "offset \(found.key.last) is stored, above its counter")
    }

    /// Closes a topic for claims until no write that is under way can land any more; returns the error that says so.
    func closeForRecovery(_ topic: TopicName, since evidence: String) async throws(StoreError) -> StoreError {
        guard table.mayGoBack else {
            return StoreError(.corrupt, effect: .none, "The counter of \(topic) is behind its messages: \(evidence).")
        }
        let wait = Mutant.healAtOnce.isActive ? .zero : configuration.recoveryWait
        logger.critical(
            "a topic's counter went back: closed for appends until it is recovered",
            metadata: ["topic": "\(topic)", "evidence": "\(evidence)", "seconds": "\(wait.components.seconds)"])
        try await table.close(topic, until: time.now().advanced(by: wait))
        counters.closed()
        return .recovering(topic, for: wait)
    }

    /// Opens a topic again that was closed until `closedUntil`, above everything that is stored.
    ///
    /// - Throws: `recovering` while it is too early.
    func recover(_ topic: TopicName, closedUntil: Timestamp) async throws(StoreError) {
        let remaining = time.now().duration(to: closedUntil)
        guard remaining <= .zero else { throw .recovering(topic, for: remaining) }
        let lowest = try await segments.list(topic, from: .first, limit: 1).first?.key
        // What this process knows to have been stored counts too, though it may have expired by now.
        var end = max(knownStoredEnd(of: topic) ?? .first, lowest?.last.advanced(by: 1) ?? .first)
        var earliest = end
        if let lowest {
            end = try await storedEnd(of: topic, from: end)
            earliest = try await segments.getUncached([lowest])[0]?.range.lowerBound ?? lowest.last
        }
        if try await table.reopen(topic, closedUntil: closedUntil, earliest: earliest, end: end, at: time.now()) {
            counters.reopened()
            logger.notice("a topic is open again", metadata: ["topic": "\(topic)", "end": "\(end)"])
        }
    }

    /// The offset after the highest key of a topic, or `known` where none lies above that.
    ///
    /// A binary search over offsets: two lists of one key for each doubling of the topic. What it finds on its way is
    /// kept, so that the next try goes on from there when this one runs out of time.
    private func storedEnd(of topic: TopicName, from known: Offset) async throws(StoreError) -> Offset {
        var end = known
        var step: Int64 = 1
        // No key lies at or above this.
        var bound: Int64?
        while true {
            let probe = end.rawValue.addingReportingOverflow(step - 1)
            let isInside = !probe.overflow && bound.map { probe.partialValue < $0 } ?? true
            if isInside, let offset = Offset(probe.partialValue) {
                if let found = try await segments.list(topic, from: offset, limit: 1).first?.key {
                    end = found.last.advanced(by: 1)
                    noteStored(end, of: topic)
                    step *= bound == nil ? 2 : 1
                    continue
                }
                bound = probe.partialValue
            }
            guard step > 1 else { return end }
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
