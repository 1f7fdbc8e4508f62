package import StreamsModel

/// The small, strongly consistent half of storage: one item a topic, changed under conditions.
///
/// On AWS this is DynamoDB, in the embedded store a table of the SQLite file. Reads are strong: a call that begins
/// after another returned sees what that one did. Every implementation passes the suite in `StreamsTesting`.
package protocol Table: TopicTable, ProduceTable, GroupTable, MaintenanceTable {
    /// Takes the next `count` offsets of a topic.
    ///
    /// Idempotent by `request.id`, which is unique within the topic: a retry after a lost answer returns the same
    /// range and the first try's time as long as no other claim came after it (`previousClaim` may then be unknown);
    /// otherwise, or after a crash of an embedded store, it takes a new range, and the lost one is a hole.
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome

    /// Takes the next offsets of a topic that was not there a moment ago, and creates it if need be.
    ///
    /// Where the topic has come into being meanwhile, it is the same as ``claim(_:)``. A deleted topic is made again, above
    /// its old offsets; `noSuchTopic` is an outcome only where it is deleted at this very moment.
    func claimCreating(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome

    /// Whether a topic's item can be lost, or come back older than it was, while its segments stand: the table and the
    /// segments are stored apart.
    ///
    /// The log watches for that, and closes such a topic (``close(_:until:)``) until it is safe to go on.
    var mayGoBack: Bool { get }

    /// Gives back a claim of which the caller knows that nothing was or will be stored for it.
    ///
    /// Only the newest claim can be taken back, or the claims above it would change their place. Returns whether the
    /// table took it back. `false` (the default) means that the range stays a hole, for the caller
    /// to close with a filler. Only a store without late writers may ever return `true`.
    func release(_ claim: Claim) async -> Bool

    /// The state of a topic, or `nil` where there is none and never was.
    ///
    /// A deleted one has a head, too (``TopicHead/deletedAt``): its counter goes on when it is made again.
    /// `end` and `lastClaimStart` come from one version of the item. `end` covers every segment stored in a claim;
    /// whether it covers claims that are not stored yet is up to the implementation.
    func head(of topic: TopicName) async throws(StoreError) -> TopicHead?

    /// Creates a topic at offset 1 unless it stands; returns whether this call created it.
    ///
    /// One that was deleted is made again above its old offsets, with a later time of creation.
    /// Idempotent, but after an unknown outcome a retry may return `false` for its own creation.
    func create(_ topic: TopicName, at now: Timestamp) async throws(StoreError) -> Bool

    /// Closes a topic for claims, since its counter is behind its segments; a topic without an item gets one.
    ///
    /// A topic that is closed already stays closed until the time that was set first. Only called where ``mayGoBack``.
    func close(_ topic: TopicName, until: Timestamp) async throws(StoreError)

    /// Opens a topic again that was closed until `closedUntil`, above all of its segments; returns whether this call
    /// opened it.
    ///
    /// The end moves up to `end` unless it lies there already, and the start of the newest claim is forgotten.
    /// `earliest` is the first offset of the lowest segment, or `end` where there is none: what readers may ask for
    /// where the table itself knows of no low mark. Only called where ``mayGoBack``.
    func reopen(
        _ topic: TopicName, closedUntil: Timestamp, earliest: Offset, end: Offset, at now: Timestamp
    ) async throws(StoreError) -> Bool

    /// Moves the low mark of a topic forward to `offset`, at most to its end, never back.
    ///
    /// Only called where ``TopicHead/settledBelow`` shows that nothing below is on its way any more.
    func moveLowMark(of topic: TopicName, to offset: Offset) async throws(StoreError)

    /// The names of at most `limit` topics, at least 1, that begin with `prefix` and come after `after`, in name order.
    ///
    /// The one read that need not be strong: a topic made a moment ago may be missing.
    func topics(prefix: String, after: String, limit: Int) async throws(StoreError) -> [TopicName]
}

extension Table {
    /// Takes nothing back: the claim is a hole.
    package func release(_ claim: Claim) async -> Bool { false }

    /// Creates the topic, then claims.
    package func claimCreating(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        // What is refused makes no topic again.
        if let head = try await head(of: request.topic), head.isDeleted {
            if request.fencingToken != nil { return .fenced }
            if let expectedEnd = request.expectedEnd, expectedEnd != head.end { return .endMismatch(end: head.end) }
        }
        _ = try await create(request.topic, at: request.at)
        return try await claim(request)
    }

    /// Counter and segments change together.
    package var mayGoBack: Bool { false }

    /// Without use in a store whose counters never go back.
    package func close(_ topic: TopicName, until: Timestamp) async throws(StoreError) {
        throw StoreError(.corrupt, effect: .none, "The counter of \(topic) is behind its messages.")
    }

    /// Without use in a store whose counters never go back.
    package func reopen(
        _ topic: TopicName, closedUntil: Timestamp, earliest: Offset, end: Offset, at now: Timestamp
    ) async throws(StoreError) -> Bool { false }

    /// Without use in a store that settles nothing.
    package func moveLowMark(of topic: TopicName, to offset: Offset) async throws(StoreError) {}
}

/// What an append asks of the table.
package struct ClaimRequest: Sendable {
    /// The topic, which must exist.
    package var topic: TopicName
    /// How many offsets, at least 1.
    package var count: Int
    /// Random, one for each claim; it makes a retry recognisable.
    package var id: AppendID
    /// The time of the claim by the claimer's clock.
    package var at: Timestamp
    /// Where the claim before was taken longer than this before ``at``, the item may have come back from a backup, and is
    /// claimed from only if it ends at ``confirmedEnd``; `nil` for whatever the item tells.
    ///
    /// Tables that never go back take no notice.
    package var trustedAge: Duration?
    /// The end of the topic, at and above which the caller has seen that nothing is stored.
    package var confirmedEnd: Offset?
    /// Where the range must begin; `nil` for wherever the topic ends.
    package var expectedEnd: Offset?
    /// What must be the topic's fencing token; `nil` where it must have none.
    package var fencingToken: FencingToken?

    /// Makes a request.
    package init(
        topic: TopicName, count: Int, id: AppendID, at: Timestamp, trustedAge: Duration? = nil,
        confirmedEnd: Offset? = nil, expectedEnd: Offset? = nil, fencingToken: FencingToken? = nil
    ) {
        self.expectedEnd = expectedEnd
        self.fencingToken = fencingToken
        self.topic = topic
        self.count = count
        self.id = id
        self.at = at
        self.trustedAge = trustedAge
        self.confirmedEnd = confirmedEnd
    }

    /// The time of the claim before from which on the item is trusted; `nil` where that is of no interest.
    package var trustedSince: Timestamp? { trustedAge.map { at.advanced(by: .zero - $0) } }
}

/// How a claim went.
package enum ClaimOutcome: Sendable, Equatable {
    /// The range is the caller's alone.
    case claimed(Claim)
    /// The topic does not exist, or is deleted: create it first.
    case noSuchTopic
    /// The topic does not end where the range must begin, but here, claims that are not stored yet included.
    case endMismatch(end: Offset)
    /// The topic's fencing token is not the one of the request.
    case fenced
    /// The topic takes no claims until it is opened again, which may be done from this time on.
    case closed(until: Timestamp)
    /// The newest claim is too old to trust the item, which tells this end: see that nothing is stored there and above,
    /// and ask again with it as ``ClaimRequest/confirmedEnd``.
    case unconfirmed(end: Offset)
}

/// A range of offsets that belongs to one append.
package struct Claim: Sendable, Equatable {
    /// The topic.
    package var topic: TopicName
    /// The offsets; their segment's key is the last of them.
    package var range: Range<Offset>
    /// The first offset of the claim before this one, where the table knows it.
    package var previousClaim: Offset?
    /// The time of the claim: every write for it carries this time, however late it is sent.
    package var at: Timestamp

    /// Makes a claim.
    package init(topic: TopicName, range: Range<Offset>, previousClaim: Offset?, at: Timestamp) {
        self.topic = topic
        self.range = range
        self.previousClaim = previousClaim
        self.at = at
    }
}

/// The state of a topic at one moment.
package struct TopicHead: Sendable, Equatable {
    /// The first offset that readers may ask for; what lies below is trimmed.
    package var earliest: Offset
    /// The log end offset.
    package var end: Offset
    /// The first offset of the newest claim, where known: the base of a hole that reaches `end`.
    package var lastClaimStart: Offset?
    /// When the newest claim was taken; when the topic was created, or opened again, where that came later.
    package var lastClaimedAt: Timestamp
    /// When the topic was created.
    package var createdAt: Timestamp
    /// Until when the topic takes no claims, where it is closed: its counter is behind its segments.
    package var closedUntil: Timestamp?
    /// Below this offset no write is on its way any more, where the table knows such an offset: what is absent there
    /// has expired or will never be.
    package var settledBelow: Offset?
    /// When the topic was deleted, which is after it was created; `nil` while it stands.
    package var deletedAt: Timestamp?
    /// How much of the topic is kept.
    package var settings = TopicSettings()
    /// Where the topic left its parent, where it is a branch: what lies below is the parent's.
    ///
    /// ``earliest`` is then only what was trimmed or has expired of the branch itself.
    package var branch: BranchPoint?
    /// Up to where the topic was trimmed by a word, not by age alone.
    package var trimmedBefore: Offset?
    /// When ``trimmedBefore`` moved: objects below are deleted no sooner than an hour later.
    package var trimmedAt: Timestamp?

    /// Whether the topic was deleted, and not made again.
    package var isDeleted: Bool { deletedAt != nil }
    /// The token that claims must carry, where there is one.
    package var fencingToken: FencingToken?

    /// Makes a head.
    package init(
        earliest: Offset, end: Offset, lastClaimStart: Offset?, lastClaimedAt: Timestamp, createdAt: Timestamp,
        closedUntil: Timestamp? = nil, settledBelow: Offset? = nil, fencingToken: FencingToken? = nil
    ) {
        self.fencingToken = fencingToken
        self.closedUntil = closedUntil
        self.settledBelow = settledBelow
        self.earliest = earliest
        self.end = end
        self.lastClaimStart = lastClaimStart
        self.lastClaimedAt = lastClaimedAt
        self.createdAt = createdAt
    }
}
