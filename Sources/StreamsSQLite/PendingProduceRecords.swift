import StreamsCore
import StreamsModel

/// The records of idempotency keys whose batches are claimed and not durable yet.
///
/// A record becomes a row in the transaction that stores its segment: one flush makes both durable, and a crash leaves
/// both or neither, as it does with the claim.
struct PendingProduceRecords {
    /// A key within its topic.
    struct Key: Hashable {
        var topic: TopicName
        var key: IdempotencyKey
    }

    /// A record with its key.
    struct Entry {
        var key: Key
        var record: ProduceRecord
    }

    private var records: [Key: ProduceRecord] = [:]
    private var keys: [AppendID: Key] = [:]
    private var claims: Set<SegmentKey> = []
    /// Moves whenever a record becomes durable, so that what was read of the file before is not taken for the present.
    private(set) var settledCount = 0

    subscript(key: Key) -> ProduceRecord? { records[key] }

    /// The record whose segment has this id.
    func entry(of appendID: AppendID) -> Entry? {
        guard let key = keys[appendID], let record = records[key] else { return nil }
        return Entry(key: key, record: record)
    }

    /// Whether a record names this claim: others may be about to write for it.
    func hold(_ claim: Claim) -> Bool { claims.contains(SegmentKey(topic: claim.topic, last: claim.range.last)) }

    /// Puts a record in the place of the one that is there.
    mutating func set(_ record: ProduceRecord, of key: Key) {
        remove(key)
        records[key] = record
        keys[record.appendID] = key
        claims.insert(record.key)
    }

    /// Notes that the segment of this id is durable, and with it its record, if it has one.
    mutating func settle(_ appendID: AppendID) {
        guard let key = keys[appendID] else { return }
        settledCount += 1
        remove(key)
    }

    /// Drops what is expired.
    mutating func delete(expiredAt now: Timestamp) {
        for (key, record) in records where record.expiresAt <= now { remove(key) }
    }

    private mutating func remove(_ key: Key) {
        guard let record = records.removeValue(forKey: key) else { return }
        keys[record.appendID] = nil
        claims.remove(record.key)
    }
}
