import StreamsCore
import StreamsModel

/// A topic's item in the table, decoded.
///
/// `pk` and `current_offset` are all that items of the prototype have; the rest is ours.
struct TopicItem: Sendable {
    /// Names of attributes, which are stored and so never renamed.
    enum Attribute {
        static let topic = "pk"
        static let currentOffset = "current_offset"
        static let claimOffset = "claim_offset"
        static let claimedAt = "claimed_at"
        static let claimID = "claim_id"
        static let trimmedBefore = "trimmed_before"
        static let trimmedAt = "trimmed_at"
        static let compactedBelow = "compacted_below"
        static let trimSeenBefore = "trim_seen_before"
        static let trimSeenAt = "trim_seen_at"
        static let createdAt = "created_at"
        static let closedUntil = "closed_until"
        static let settledBelow = "settled_below"
        static let kind = "kind"
        static let deletedAt = "deleted"
        static let retention = "retention_ms"
        static let retentionBytes = "retention_bytes"
        static let settingsVersion = "settings_version"
        static let parent = "parent"
        static let fork = "fork_offset"
        static let parentTail = "parent_tail"
        static let parentClaim = "parent_claim"
        static let fencingToken = "fencing_token"
        static let fenceCount = "fence_count"

        /// The mark of a day, counted from 1970.
        static func mark(_ day: Int) -> String { "m\(day)" }
    }

    /// The value of `kind` in a topic's item; the index of that name lists topics by it.
    static let kind = "topic"
    /// The value of `kind` in the item of a topic that was deleted: lists do not show it.
    static let deletedKind = "deleted"
    /// The index.
    static let kindIndex = "kind-index"
    /// No offset lies above: far beyond any topic, and far enough from the end of the numbers to count on.
    static let offsetMaximum: Int64 = 1 << 62

    /// The last offset handed out; 0 where none was.
    let currentOffset: Int64
    let claimOffset: Offset?
    let claimedAt: Timestamp?
    let claimID: String?
    let trimmedBefore: Offset?
    /// What maintenance goes by.
    let upkeep: TopicUpkeep
    let createdAt: Timestamp?
    let closedUntil: Timestamp?
    /// Below this offset nothing is on its way any more.
    let settledBelow: Offset?
    let fencingToken: FencingToken?
    /// How often the token was set: what a change of it is made on condition of.
    let fenceCount: Int64
    /// Whether the item is one of ours: the prototype's have no kind.
    let hasKind: Bool
    let deletedAt: Timestamp?
    let trimmedAt: Timestamp?
    let settings: TopicSettings
    let branch: BranchPoint?
    /// By day: the last offset before the day's first claim.
    let marks: [Int: Int64]

    /// Decodes an item.
    ///
    /// - Throws: `corrupt`.
    init(_ item: DynamoDBItem, topic: TopicName) throws(StoreError) {
        func number(_ name: String) throws(StoreError) -> Int64? {
            guard let value = item[name] else { return nil }
            guard let number = value.integer, (0...Self.offsetMaximum).contains(number) else {
                throw StoreError(.corrupt, effect: .none, "The item of \(topic) has no sound number in \(name).")
            }
            return number
        }
        guard let current = try number(Attribute.currentOffset) else {
            throw StoreError(.corrupt, effect: .none, "The item of \(topic) has no \(Attribute.currentOffset).")
        }
        currentOffset = current
        // After a counter was set back by hand, the newest claim may lie above it: then it says nothing.
        claimOffset = try number(Attribute.claimOffset).flatMap { $0 <= current ? Offset($0) : nil }
        claimedAt = try number(Attribute.claimedAt).map { Timestamp(milliseconds: $0) }
        claimID = item[Attribute.claimID]?.string
        let trimmedBefore = try number(Attribute.trimmedBefore).flatMap { Offset($0) }
        self.trimmedBefore = trimmedBefore
        let trimmedAt = try number(Attribute.trimmedAt).map { Timestamp(milliseconds: $0) }
        self.trimmedAt = trimmedAt
        var noted = UpkeepNote(compactedBelow: try number(Attribute.compactedBelow).flatMap { Offset($0) })
        if let before = try number(Attribute.trimSeenBefore).flatMap({ Offset($0) }),
            let at = try number(Attribute.trimSeenAt)
        {
            noted.trimSeen = UpkeepNote.TrimSeen(before: before, at: Timestamp(milliseconds: at))
        }
        upkeep = TopicUpkeep(trimmedBefore: trimmedBefore, trimmedAt: trimmedAt, noted: noted)
        createdAt = try number(Attribute.createdAt).map { Timestamp(milliseconds: $0) }
        closedUntil = try number(Attribute.closedUntil).map { Timestamp(milliseconds: $0) }
        settledBelow = try number(Attribute.settledBelow).flatMap { Offset($0) }
        fenceCount = try number(Attribute.fenceCount) ?? 0
        fencingToken = try item[Attribute.fencingToken].map { (value) throws(StoreError) in
            guard let token = value.string.flatMap({ try? FencingToken($0) }) else {
                throw StoreError(.corrupt, effect: .none, "The item of \(topic) has no sound fencing token.")
            }
            return token
        }
        hasKind = item[Attribute.kind] != nil
        deletedAt = try number(Attribute.deletedAt).map { Timestamp(milliseconds: $0) }
        settings = TopicSettings(
            retentionMilliseconds: try number(Attribute.retention),
            retentionBytes: try number(Attribute.retentionBytes),
            version: try number(Attribute.settingsVersion) ?? 0)
        branch = try item[Attribute.parent].map { (value) throws(StoreError) in
            guard let parent = value.string.flatMap({ try? TopicName($0) }),
                let fork = try number(Attribute.fork).flatMap({ Offset($0) }),
                let tail = try number(Attribute.parentTail), fork.rawValue <= tail + 1, fork.rawValue <= current + 1
            else {
                throw StoreError(.corrupt, effect: .none, "The item of \(topic) tells an impossible branch.")
            }
            return BranchPoint(
                parent: parent, fork: fork, parentEnd: .first.advanced(by: Int(tail)),
                parentClaimStart: try number(Attribute.parentClaim).flatMap { Offset($0) })
        }
        var marks: [Int: Int64] = [:]
        for name in item.keys where name.utf8.first == UInt8(ascii: "m") {
            guard let day = Int(name.dropFirst()), let offset = try number(name) else { continue }
            marks[day] = offset
        }
        self.marks = marks
    }

    /// The log end offset.
    var end: Offset { .first.advanced(by: Int(currentOffset)) }

    /// The first offset that readers may ask for: the low mark.
    ///
    /// Below it: trimmed, whatever is stored. A topic without a mark that is still retained had no claim for so long
    /// that all it held has expired.
    func earliest(retained days: ClosedRange<Int>?) -> Offset {
        var low = trimmedBefore ?? .first
        if let days {
            let mark = marks.filter { days.contains($0.key) }.values.min() ?? currentOffset
            let kept = Offset.first.advanced(by: Int(mark))
            // Where all that the branch itself ever held is kept, its parent tells what is kept of the rest.
            if branch.map({ kept > $0.fork }) ?? true { low = max(low, kept) }
        }
        return min(low, end)
    }

    /// The item as the log sees it.
    func head(retained days: ClosedRange<Int>?) -> TopicHead {
        let created = createdAt ?? claimedAt ?? Timestamp(milliseconds: 0)
        var head = TopicHead(
            earliest: earliest(retained: days), end: end, lastClaimStart: claimOffset,
            lastClaimedAt: claimedAt ?? created, createdAt: created, closedUntil: closedUntil,
            settledBelow: settledBelow, fencingToken: fencingToken)
        head.deletedAt = deletedAt
        head.settings = settings
        head.branch = branch
        head.trimmedBefore = trimmedBefore
        head.trimmedAt = trimmedAt
        return head
    }
}
