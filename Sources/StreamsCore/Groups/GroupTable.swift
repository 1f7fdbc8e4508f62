package import StreamsModel

/// The part of the table that keeps consumer groups: one item a group, changed under conditions.
///
/// A write names the state that it was made from by ``Group/version``, and carries a new one: one that comes late, or
/// twice, finds another state and changes nothing. Reads are strong.
package protocol GroupTable: Sendable {
    /// The state of a group; `nil` where there is none.
    ///
    /// A group that was deleted may come as one that ``Group/isRemoved``.
    func group(_ key: GroupKey) async throws(StoreError) -> Group?

    /// At most `limit` groups of a topic, at least 1, with names after `after`, in name order, without those deleted.
    ///
    /// Which there are need not be of this moment: one made a moment ago may be missing. What is told of each is.
    func groups(of topic: TopicName, after: String, limit: Int) async throws(StoreError) -> [Group]

    /// Puts a state in the place of the one of version `seen`, or where there is none for `nil`; returns whether it did.
    ///
    /// Idempotent by the new version: a retry after a lost answer returns `true` as long as no other write came after.
    /// A state that ``Group/isRemoved`` need not be kept by a table that no late request can reach. `now` is the time
    /// that leases in the state were reckoned from.
    /// - Throws: `signedTooLongAgo` where that time turns out to be wrong: make the state anew.
    func store(_ group: Group, replacing seen: AppendID?, at now: Timestamp) async throws(StoreError) -> Bool

    /// Commits an offset, in one write and without a read before: what ``Group/committing(_:)`` says.
    ///
    /// Idempotent by the new version, as ``store(_:replacing:at:)``. Where it comes twice it may find its own work:
    /// the standing state tells.
    /// - Throws: `signedTooLongAgo` where the time of the request turns out to be wrong.
    func commit(_ request: CommitRequest) async throws(StoreError) -> CommitOutcome
}

/// Tables that keep no groups.
extension GroupTable {
    package func group(_ key: GroupKey) async throws(StoreError) -> Group? { nil }

    package func groups(of topic: TopicName, after: String, limit: Int) async throws(StoreError) -> [Group] { [] }

    package func store(
        _ group: Group, replacing seen: AppendID?, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        throw StoreError(.misconfigured, effect: .none, "This table keeps no groups.")
    }

    package func commit(_ request: CommitRequest) async throws(StoreError) -> CommitOutcome { .refused(nil) }
}

/// What a commit asks of the table.
package struct CommitRequest: Sendable, Equatable {
    /// Which group.
    package var key: GroupKey
    /// The consumer, which must hold the lease.
    package var consumer: String
    /// The generation, which must be the newest.
    package var generation: Generation
    /// The next offset to process: from the committed offset to what was delivered.
    package var offset: Offset
    /// When: the lease is renewed from then on.
    package var at: Timestamp
    /// The version of the new state.
    package var version: AppendID

    /// Makes a request.
    package init(
        key: GroupKey, consumer: String, generation: Generation, offset: Offset, at: Timestamp, version: AppendID
    ) {
        self.key = key
        self.consumer = consumer
        self.generation = generation
        self.offset = offset
        self.at = at
        self.version = version
    }
}

/// How a commit went.
package enum CommitOutcome: Sendable, Equatable {
    /// It is done; the group as it is now.
    case committed(Group)
    /// Nothing changed; the group that refused it, `nil` where there is none.
    case refused(Group?)
}
