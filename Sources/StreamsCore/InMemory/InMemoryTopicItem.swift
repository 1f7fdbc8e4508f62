import StreamsModel

/// A topic's item in the table.
struct InMemoryTopicItem: Sendable {
    private var createdAt: Timestamp
    private var earliest = Offset.first
    private var end = Offset.first
    private var newestClaim: (id: AppendID, claim: Claim)?
    private var lastClaimedAt: Timestamp
    private var closedUntil: Timestamp?
    private var settledBelow: Offset?
    /// What maintenance has noted.
    var noted = UpkeepNote()
    private var deletedAt: Timestamp?
    private var settings = TopicSettings()
    private var branch: BranchPoint?
    private var trimmedBefore: Offset?
    private var trimmedAt: Timestamp?
    private var fencingToken: FencingToken?

    init(createdAt: Timestamp) {
        self.createdAt = createdAt
        lastClaimedAt = createdAt
    }

    /// A branch, whose own offsets begin at its fork.
    init(createdAt: Timestamp, branch: BranchPoint) {
        self.init(createdAt: createdAt)
        self.branch = branch
        end = branch.fork
    }

    var head: TopicHead {
        var head = TopicHead(
            earliest: earliest, end: end, lastClaimStart: newestClaim?.claim.range.lowerBound,
            lastClaimedAt: lastClaimedAt, createdAt: createdAt, closedUntil: closedUntil,
            settledBelow: settledBelow, fencingToken: fencingToken)
        head.deletedAt = deletedAt
        head.settings = settings
        head.branch = branch
        head.trimmedBefore = trimmedBefore
        head.trimmedAt = trimmedAt
        return head
    }

    /// Whether it is the topic that was created then, and stands.
    func stands(since createdAt: Timestamp) -> Bool { deletedAt == nil && self.createdAt == createdAt }

    /// Makes a deleted topic anew; returns whether it was deleted.
    mutating func revive(at now: Timestamp) -> Bool {
        guard let deletedAt else { return false }
        createdAt = max(now, deletedAt.advanced(by: .milliseconds(1)))
        lastClaimedAt = createdAt
        self.deletedAt = nil
        return true
    }

    mutating func delete(at now: Timestamp) {
        trim(before: end, at: now)
        deletedAt = now
        settings = TopicSettings(version: settings.version)
        branch = nil
        fencingToken = nil
    }

    mutating func trim(before offset: Offset, at now: Timestamp) {
        guard offset > earliest else { return }
        trimmedBefore = trim(before: offset)
        trimmedAt = now
    }

    /// Returns whether these are the settings now.
    mutating func change(to settings: TopicSettings) -> Bool {
        if self.settings.version + 1 == settings.version { self.settings = settings }
        return self.settings == settings
    }

    mutating func claim(_ request: ClaimRequest) -> ClaimOutcome {
        precondition(request.count >= 1, "a claim takes at least one offset")
        if let closedUntil { return .closed(until: closedUntil) }
        if deletedAt != nil { return .noSuchTopic }
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
        if deletedAt != nil { return .noSuchTopic }
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
        if self.earliest == .first, branch == nil { self.earliest = min(earliest, self.end) }
        return true
    }

    /// Returns the earliest offset after the trim.
    mutating func trim(before offset: Offset) -> Offset {
        earliest = max(earliest, min(offset, end))
        return earliest
    }
}
