package import StreamsModel

/// What producers ask of the table beside claims: records of idempotency keys, and the fencing token of a topic.
///
/// Every change is made on condition of what its caller saw, so that a request that arrives late changes nothing.
package protocol ProduceTable: Sendable {
    /// The record of an idempotency key, expired or not; `nil` where there is none.
    func produceRecord(of key: IdempotencyKey, in topic: TopicName) async throws(StoreError) -> ProduceRecord?

    /// Puts a record in the place of the one that the caller saw, or of none (`nil`); returns the one that stands now.
    ///
    /// That is `record` where this call, or an earlier try of it, put it there; another one where somebody else was
    /// first; `nil` where the one that the caller saw is gone. Records are told apart by their append ids. The topic
    /// exists, and the record's range was claimed before. An embedded store may keep the record in memory until its
    /// segment is stored, and makes both durable at once.
    func setProduceRecord(
        _ record: ProduceRecord, of key: IdempotencyKey, in topic: TopicName, replacing seen: ProduceRecord?
    ) async throws(StoreError) -> ProduceRecord?

    /// Deletes at most `limit` records that are expired at `now`; returns whether there may be more.
    ///
    /// For room only: whether a record is expired is told by the record itself. A store that does this by itself
    /// returns `false` at once.
    func deleteProduceRecords(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Bool

    /// Sets the fencing token of a topic, or takes it away (`nil`), if `condition` holds.
    ///
    /// When it returns, no claim with another token succeeds any more. A retry after an unknown outcome finds its own
    /// token.
    func setFencingToken(
        _ token: FencingToken?, of topic: TopicName, if condition: FenceCondition
    ) async throws(StoreError) -> FenceOutcome
}

/// What a table that keeps neither answers.
extension ProduceTable {
    /// Refuses.
    package func produceRecord(
        of key: IdempotencyKey, in topic: TopicName
    ) async throws(StoreError) -> ProduceRecord? { throw .keepsNoRecords }

    /// Refuses.
    package func setProduceRecord(
        _ record: ProduceRecord, of key: IdempotencyKey, in topic: TopicName, replacing seen: ProduceRecord?
    ) async throws(StoreError) -> ProduceRecord? { throw .keepsNoRecords }

    /// There is nothing to delete.
    package func deleteProduceRecords(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Bool { false }

    /// Refuses.
    package func setFencingToken(
        _ token: FencingToken?, of topic: TopicName, if condition: FenceCondition
    ) async throws(StoreError) -> FenceOutcome { throw .keepsNoRecords }
}

extension StoreError {
    fileprivate static var keepsNoRecords: StoreError {
        StoreError(.misconfigured, effect: .none, "The store keeps neither idempotency keys nor fencing tokens.")
    }
}

/// Where the batch of an idempotency key is, or will be.
///
/// Stored: as an item of the table on AWS, as a row in SQLite.
package struct ProduceRecord: Sendable, Equatable {
    /// The claim: the same offsets, time and claim before for everybody who writes the batch.
    package var claim: Claim
    /// The id of the batch's segment: unique to the record, so that it tells records apart.
    package var appendID: AppendID
    /// The digest of the request.
    package var digest: RequestDigest
    /// From when on the key may be used anew.
    package var expiresAt: Timestamp

    /// Makes a record.
    package init(claim: Claim, appendID: AppendID, digest: RequestDigest, expiresAt: Timestamp) {
        self.claim = claim
        self.appendID = appendID
        self.digest = digest
        self.expiresAt = expiresAt
    }

    /// Where the batch is stored.
    package var key: SegmentKey { SegmentKey(topic: claim.topic, last: claim.range.last) }
}

/// What tells two requests with one idempotency key apart: 32 bytes, a cryptographic hash of the body.
///
/// The front computes it: the core links no cryptography.
package struct RequestDigest: Hashable, Sendable {
    /// The bytes.
    package let bytes: [UInt8]

    /// Takes the bytes; `nil` unless there are 32.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }
}

/// On what condition a fencing token is set.
package enum FenceCondition: Sendable, Equatable {
    /// None.
    case none
    /// The topic's token is this one.
    case token(FencingToken)
}

/// How setting a fencing token went.
package enum FenceOutcome: Sendable, Equatable {
    /// The token stands. Every claim that was taken with another token lies below the end of this head, and no claim
    /// that lies below it is given back.
    case set(TopicHead)
    /// The topic's token is another one.
    case fenced
    /// The topic does not exist.
    case noSuchTopic
}
