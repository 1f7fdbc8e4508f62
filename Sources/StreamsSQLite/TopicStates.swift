import StreamsCore
import StreamsModel

/// The topics' counters in memory: where claims come from, and what readers see.
///
/// Two ends a topic: `claimedEnd` moves with each claim, `head.end` only when a commit made a segment durable. So a
/// claim costs no write of its own, and no reader ever sees an end that a crash could take back. After a crash the
/// file's counter is both.
struct TopicStates {
    struct State {
        /// The topic's row.
        let rowID: Int64
        /// What is durable, and all that readers see.
        var head: TopicHead
        /// The next offset to be claimed.
        var claimedEnd: Offset
        /// The first offset of the newest claim that stands, where known.
        var claimStart: Offset?
        /// The newest claim and its id, for retries and for giving back; `nil` after it was given back.
        var newestClaim: (claim: Claim, id: AppendID)?
        /// Whether it takes no claims: it is deleted, or about to be.
        var isClosed = false
        /// Up to where the claims reached that stood when the fencing token was last set; `nil` where it never was.
        ///
        /// Who set it was told this end: what lies below is not given back any more.
        var fencedEnd: Offset?

        init(rowID: Int64, head: TopicHead) {
            self.rowID = rowID
            self.head = head
            self.claimedEnd = head.end
            self.claimStart = head.lastClaimStart
            self.isClosed = head.isDeleted
        }
    }

    private var states: [TopicName: State] = [:]
    /// The idempotency keys whose batches are not durable yet.
    var produceRecords = PendingProduceRecords()
    /// Moves whenever a row changes in more than its end, so that one read before is not taken for the present.
    private(set) var trimCount = 0

    /// A topic's state, once it was loaded.
    subscript(topic: TopicName) -> State? { states[topic] }

    /// Takes a row in that was read from the file, unless the topic is there already.
    mutating func adopt(_ state: State, for topic: TopicName) {
        if states[topic] == nil { states[topic] = state }
    }

    /// Puts a state in the place of the one that may be there: of a topic that was just created, or made again.
    mutating func replace(_ topic: TopicName, with state: State) {
        trimCount += 1
        states[topic] = state
    }

    /// Lets a topic take no more claims, since it is about to be deleted; returns its end, all claims counted.
    ///
    /// `nil` where it is not the one that was created then, or deleted already.
    mutating func close(_ topic: TopicName, createdAt: Timestamp) -> Offset? {
        guard let state = states[topic], state.head.createdAt == createdAt, !state.isClosed else { return nil }
        states[topic]?.isClosed = true
        return state.claimedEnd
    }

    /// Lets a topic take claims again that was not deleted after all.
    mutating func reopen(_ topic: TopicName, createdAt: Timestamp) {
        guard let head = states[topic]?.head, head.createdAt == createdAt, !head.isDeleted else { return }
        states[topic]?.isClosed = false
    }

    /// Notes that a topic was deleted at its end.
    mutating func deleted(_ topic: TopicName, end: Offset, at now: Timestamp) {
        trimmed(topic, to: end, at: now)
        guard var state = states[topic] else { return }
        state.head.end = end
        state.head.deletedAt = now
        state.head.branch = nil
        state.head.fencingToken = nil
        state.head.settings = TopicSettings(version: state.head.settings.version)
        state.newestClaim = nil
        state.claimedEnd = end
        states[topic] = state
    }

    /// Notes that the settings of a topic changed.
    mutating func changed(_ topic: TopicName, to settings: TopicSettings) {
        trimCount += 1
        states[topic]?.head.settings = settings
    }

    /// Takes the next offsets; `nil` where the topic is not loaded, or is deleted.
    mutating func claim(_ request: ClaimRequest) -> ClaimOutcome? {
        guard let state = states[request.topic], !state.isClosed else { return nil }
        if let newest = state.newestClaim, newest.id == request.id { return .claimed(newest.claim) }
        guard request.fencingToken == state.head.fencingToken else { return .fenced }
        if let expectedEnd = request.expectedEnd, expectedEnd != state.claimedEnd {
            // Who has not read what is durable is told its end, from which reads go on. Who has read it all is up
            // against a claim under way.
            return .endMismatch(end: expectedEnd < state.head.end ? state.head.end : state.claimedEnd)
        }
        let claim = Claim(
            topic: request.topic,
            range: state.claimedEnd..<state.claimedEnd.advanced(by: request.count),
            previousClaim: state.claimStart, at: request.at)
        states[request.topic]?.claimStart = claim.range.lowerBound
        states[request.topic]?.claimedEnd = claim.range.upperBound
        states[request.topic]?.newestClaim = (claim, request.id)
        return .claimed(claim)
    }

    /// Takes a claim back if it is the newest.
    mutating func release(_ claim: Claim) -> Bool {
        guard let state = states[claim.topic], state.newestClaim?.claim == claim,
            state.head.end <= claim.range.lowerBound, state.fencedEnd ?? .first <= claim.range.lowerBound,
            !produceRecords.hold(claim)
        else { return false }
        states[claim.topic]?.claimedEnd = claim.range.lowerBound
        states[claim.topic]?.claimStart = claim.previousClaim
        states[claim.topic]?.newestClaim = nil
        return true
    }

    /// Notes that a fencing token is durable.
    mutating func fenced(_ topic: TopicName, by token: FencingToken?) {
        guard let state = states[topic] else { return }
        states[topic]?.head.fencingToken = token
        states[topic]?.fencedEnd = state.claimedEnd
    }

    /// Notes that a segment is durable.
    mutating func stored(_ segment: Segment) {
        produceRecords.settle(segment.appendID)
        guard var state = states[segment.topic], state.head.end < segment.range.upperBound else { return }
        state.head.end = segment.range.upperBound
        state.head.lastClaimStart = segment.range.lowerBound
        state.head.lastClaimedAt = segment.timestamp
        if state.claimedEnd < state.head.end {
            state.claimedEnd = state.head.end
            state.claimStart = segment.range.lowerBound
        }
        states[segment.topic] = state
    }

    /// Notes that everything below `earliest` is gone: by a word of that time, or by age (`nil`).
    mutating func trimmed(_ topic: TopicName, to earliest: Offset, at now: Timestamp? = nil) {
        trimCount += 1
        guard var state = states[topic] else { return }
        state.head.earliest = max(state.head.earliest, earliest)
        if let now { state.head.trimmedAt = now }
        if state.head.trimmedAt != nil { state.head.trimmedBefore = state.head.earliest }
        states[topic] = state
    }
}
