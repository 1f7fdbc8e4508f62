import Crypto
import StreamsCore
import StreamsModel

/// The item of an idempotency key.
///
///     pk              S  produce#{topic}#{SHA-256 of the key, as 64 digits}
///     first           N  first offset of the batch
///     last            N  last offset
///     previous_claim  N  first offset of the claim before, where known
///     claimed_at      N  time of the claim (ms): with it every write for the batch is signed
///     append_id       S  that of the segment
///     body_hash       B  32 bytes
///     expires_at      N  from when on the key may be used anew, in seconds, as DynamoDB's time to live has it
enum ProduceItem {
    /// Names of attributes, which are stored and so never renamed.
    enum Attribute {
        static let first = "first"
        static let last = "last"
        static let previousClaim = "previous_claim"
        static let claimedAt = "claimed_at"
        static let appendID = "append_id"
        static let bodyHash = "body_hash"
        static let expiresAt = "expires_at"
    }

    /// The item's key; no name of a topic has a `#` in it.
    static func partition(_ key: IdempotencyKey, in topic: TopicName) -> AttributeValue {
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: Array(key.rawValue.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return .string("produce#\(topic)#" + String(decoding: hash, as: UTF8.self))
    }

    /// The attributes of a record, those of its key aside.
    static func attributes(of record: ProduceRecord) -> DynamoDBItem {
        let claim = record.claim
        var item: DynamoDBItem = [
            Attribute.first: .integer(claim.range.lowerBound.rawValue),
            Attribute.last: .integer(claim.range.last.rawValue),
            Attribute.claimedAt: .integer(claim.at.milliseconds),
            Attribute.appendID: .string(record.appendID.hexadecimal),
            Attribute.bodyHash: .binary(record.digest.bytes),
            // Rounded up: never shorter than was promised.
            Attribute.expiresAt: .integer((record.expiresAt.milliseconds + 999) / 1000),
        ]
        item[Attribute.previousClaim] = claim.previousClaim.map { .integer($0.rawValue) }
        return item
    }

    /// The record that an item holds.
    ///
    /// - Throws: `corrupt`.
    static func record(_ item: DynamoDBItem, topic: TopicName) throws(StoreError) -> ProduceRecord {
        func offset(_ name: String) -> Offset? {
            item[name]?.integer.flatMap { $0 <= TopicItem.offsetMaximum ? Offset($0) : nil }
        }
        guard let first = offset(Attribute.first), let last = offset(Attribute.last), first <= last,
            let claimedAt = item[Attribute.claimedAt]?.integer, let expiresAt = item[Attribute.expiresAt]?.integer,
            let appendID = item[Attribute.appendID]?.string.flatMap({ AppendID(hexadecimal: $0) }),
            let digest = item[Attribute.bodyHash]?.binary.flatMap({ RequestDigest($0) }),
            (0...Int64(1 << 48)).contains(expiresAt)
        else {
            throw StoreError(.corrupt, effect: .none, "The item of an idempotency key of \(topic) is not readable.")
        }
        let claim = Claim(
            topic: topic, range: first..<last.advanced(by: 1), previousClaim: offset(Attribute.previousClaim),
            at: Timestamp(milliseconds: claimedAt))
        return ProduceRecord(
            claim: claim, appendID: appendID, digest: digest, expiresAt: Timestamp(milliseconds: expiresAt * 1000))
    }
}
