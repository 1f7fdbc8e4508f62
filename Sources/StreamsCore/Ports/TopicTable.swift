package import StreamsModel

/// What of a topic its users may change: trim, settings, delete, branch.
///
/// Every change is made on condition that the topic is the one that the caller saw, known by when it was created, or
/// that there is none: so a request that arrives late, or twice, changes nothing that came after it. A change whose
/// outcome is unknown may be sent again as it was.
package protocol TopicTable: Sendable {
    /// Moves the low mark of a topic forward to `offset`, which lies at most at its end; never back.
    ///
    /// Readers that begin after it returned are refused below. The segments wholly below go some time later; one that
    /// reaches across the mark stays whole. Returns the topic as it is then, or `nil` where it is not any more what the
    /// caller saw; then nothing changed.
    func trim(
        _ topic: TopicName, createdAt: Timestamp, before offset: Offset, at now: Timestamp
    ) async throws(StoreError) -> TopicHead?

    /// Deletes a topic: its low mark moves to its end, settings and branch point go, and only its counter stays.
    ///
    /// When it returns, the topic that the caller saw is deleted, whoever did it; a topic of that name that was made
    /// again is not touched. `now` must lie after `createdAt`.
    func delete(_ topic: TopicName, createdAt: Timestamp, at now: Timestamp) async throws(StoreError)

    /// Puts `settings` in the place of those of the version before; returns whether they stand.
    ///
    /// `false`: somebody else changed them first, or the topic is not what the caller saw; nothing changed.
    func change(
        _ topic: TopicName, createdAt: Timestamp, to settings: TopicSettings
    ) async throws(StoreError) -> Bool

    /// Creates a topic that reads as another one below `point`, and whose own offsets begin there; returns whether it
    /// did.
    ///
    /// `false`: there is such a topic, or was: offsets of a deleted one are never used again. After an unknown outcome a
    /// retry answers `true` for its own creation.
    func createBranch(_ topic: TopicName, at point: BranchPoint, now: Timestamp) async throws(StoreError) -> Bool
}

extension TopicTable {
    /// Without use in a store whose topics stay as they are.
    package func trim(
        _ topic: TopicName, createdAt: Timestamp, before offset: Offset, at now: Timestamp
    ) async throws(StoreError) -> TopicHead? { throw .unchangeable }

    /// Without use in a store whose topics stay as they are.
    package func delete(_ topic: TopicName, createdAt: Timestamp, at now: Timestamp) async throws(StoreError) {
        throw .unchangeable
    }

    /// Without use in a store whose topics stay as they are.
    package func change(
        _ topic: TopicName, createdAt: Timestamp, to settings: TopicSettings
    ) async throws(StoreError) -> Bool { throw .unchangeable }

    /// Without use in a store whose topics stay as they are.
    package func createBranch(
        _ topic: TopicName, at point: BranchPoint, now: Timestamp
    ) async throws(StoreError) -> Bool { throw .unchangeable }
}

extension StoreError {
    fileprivate static let unchangeable = StoreError(
        .misconfigured, effect: .none, "This store does not change topics.")
}

/// How much of a topic is kept, where that is less than the store keeps of all.
package struct TopicSettings: Sendable, Equatable {
    /// Messages older than this are trimmed, in milliseconds from 1 to ``maximum``; `nil` for no such bound.
    package var retentionMilliseconds: Int64?
    /// The oldest messages are trimmed until at most so many bytes of them remain, from 1 to ``maximum``; `nil` for no
    /// such bound.
    package var retentionBytes: Int64?
    /// How often the settings were changed: a change that arrives late finds another version.
    package var version: Int64

    /// The largest value of either bound: far beyond any need, and far enough from the end of the numbers to count on.
    package static let maximum: Int64 = 1_000_000_000_000_000

    /// Makes settings.
    package init(retentionMilliseconds: Int64? = nil, retentionBytes: Int64? = nil, version: Int64 = 0) {
        self.retentionMilliseconds = retentionMilliseconds
        self.retentionBytes = retentionBytes
        self.version = version
    }

    /// Whether anything is bounded.
    package var isBounded: Bool { retentionMilliseconds != nil || retentionBytes != nil }
}

/// Where a branch left its parent, with all that is needed to read the parent below by the parent's own rules.
///
/// The parent is known by its name alone. A parent that was deleted and made again is not mistaken for the old one: its
/// low mark lies at or above the old one's end, so at or above the fork.
package struct BranchPoint: Sendable, Equatable {
    /// The topic that the branch reads as below the fork.
    package var parent: TopicName
    /// The first offset of the branch's own.
    package var fork: Offset
    /// The parent's end at the time of the fork, at or above the fork: where holes of that time end.
    package var parentEnd: Offset
    /// The first offset of the parent's newest claim, of the same read as ``parentEnd``, where known.
    package var parentClaimStart: Offset?

    /// Makes a branch point.
    package init(parent: TopicName, fork: Offset, parentEnd: Offset, parentClaimStart: Offset?) {
        precondition(fork <= parentEnd, "a fork lies within its parent")
        self.parent = parent
        self.fork = fork
        self.parentEnd = parentEnd
        self.parentClaimStart = parentClaimStart
    }
}
