import StreamsModel

/// A topic's item in the table.
struct InMemoryTopicItem: Sendable {
    private let createdAt: Timestamp
    private var earliest = Offset.first
    private var end = Offset.first
    private var newestClaim: (id: AppendID, claim: Claim)?
    private var lastClaimedAt: Timestamp
    private var closedUntil: Timestamp?
    private var settledBelow: Offset?
    private var fencingToken: FencingToken?

    init(createdAt: Timestamp) {
        self.createdAt = createdAt
        lastClaimedAt = createdAt
    }

    var head: TopicHead {
        TopicHead(
            earliest: earliest, end: end, lastClaimStart: newestClaim?.claim.range.lowerBound,
            lastClaimedAt: lastClaimedAt, createdAt: createdAt, closedUntil: closedUntil,
            settledBelow: settledBelow, fencingToken: fencingToken)
    }

    mutating func claim(_ request: ClaimRequest) -> ClaimOutcome {
        precondition(request.count >= 1, "a claim takes at least one offset")
        if let closedUntil { return .closed(until: closedUntil) }
        if let newestClaim, newestClaim.id == request.id { return .claimed(newestClaim.claim) }
        if let trustedSince = request.trustedSince, lastClaimedAt < trustedSince, request.confirmedEnd != end {
            return .unconfirmed(end: end)
        }
        guard request.fencingToken == fencingToken else { return .fenced }
        if let expectedEnd = request.expectedEnd, expectedEnd != end { return .endMismatch(end: end) }
        let claim = Claim(
            topic: request.topic, range: end..<end.advanced(by: request.count),
            previousClaim: newestClaim?.claim.range.lowerBound, at: request.at)
        newestClaim = (request.id, claim)
        lastClaimedAt = request.at
        end = claim.range.upperBound
        return .claimed(claim)
    }

    mutating func setFencingToken(_ token: FencingToken?, if condition: FenceCondition) -> FenceOutcome {
        if case .token(let current) = condition, current != fencingToken { return .fenced }
        fencingToken = token
        return .set(head)
    }

    mutating func close(until: Timestamp) {
        closedUntil = closedUntil ?? until
    }

    mutating func reopen(closedUntil: Timestamp, earliest: Offset, end: Offset, at now: Timestamp) -> Bool {
        guard self.closedUntil == closedUntil else { return false }
        self.closedUntil = nil
        newestClaim = nil
        lastClaimedAt = now
        self.end = max(self.end, end)
        settledBelow = self.end
        // An item that was lost knows of no low mark.
        if self.earliest == .first { self.earliest = min(earliest, self.end) }
        return true
    }

    /// Returns the earliest offset after the trim.
    mutating func trim(before offset: Offset) -> Offset {
        earliest = max(earliest, min(offset, end))
        return earliest
    }
}
