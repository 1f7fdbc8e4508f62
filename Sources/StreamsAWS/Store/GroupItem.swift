import StreamsCore
import StreamsModel

/// A group's item in the table: see `docs/protocol.md`.
enum GroupItem {
    /// Names of attributes, which are stored and so never renamed.
    enum Attribute {
        static let key = "pk"
        static let kind = "kind"
        static let topicCreatedAt = "topic_created_at"
        static let committedOffset = "committed_offset"
        static let deliveredOffset = "delivered_offset"
        static let generation = "generation"
        static let consumer = "consumer"
        static let leaseExpiresAt = "lease_expires_at"
        static let leaseMilliseconds = "lease_milliseconds"
        /// When the lease was last taken or renewed.
        static let leaseRenewedAt = "lease_renewed_at"
        static let createdAt = "created_at"
        static let version = "version"
        static let removed = "removed"
        /// When the table may forget a deleted group, in seconds: the attribute of its time to live.
        static let expiresAt = "expires_at"
    }

    /// For how long a deleted group stands: far longer than a request may be on its way.
    static let removedDays: Int64 = 1

    /// The partition key.
    ///
    /// Topic names hold no `#`, so no topic has such a key.
    static func key(_ key: GroupKey) -> String { prefix(key.topic) + key.name.rawValue }

    /// What the keys of a topic's groups begin with.
    static func prefix(_ topic: TopicName) -> String { "group#\(topic)#" }

    /// The value of `kind` in the items of a topic's groups, by which the index lists them.
    static func kind(_ topic: TopicName) -> String { "group#\(topic)" }

    /// The item of a group; `now` is when it is written.
    static func encode(_ group: Group, at now: Timestamp) -> DynamoDBItem {
        var item: DynamoDBItem = [
            Attribute.key: .string(key(group.key)),
            Attribute.topicCreatedAt: .integer(group.topicCreatedAt.milliseconds),
            Attribute.committedOffset: .integer(group.committed.rawValue),
            Attribute.deliveredOffset: .integer(group.delivered.rawValue),
            Attribute.generation: .integer(group.generation.rawValue),
            Attribute.createdAt: .integer(group.createdAt.milliseconds),
            Attribute.version: .string(group.version.hexadecimal),
        ]
        if let lease = group.lease {
            item[Attribute.consumer] = .string(lease.consumer)
            item[Attribute.leaseExpiresAt] = .integer(lease.expiresAt.milliseconds)
            item[Attribute.leaseMilliseconds] = .integer(lease.length.wholeMilliseconds)
            item[Attribute.leaseRenewedAt] = .integer(now.milliseconds)
        }
        if group.isRemoved {
            item[Attribute.removed] = .bool(true)
            item[Attribute.expiresAt] = .integer(now.milliseconds / 1000 + removedDays * 86_400)
        } else {
            item[Attribute.kind] = .string(kind(group.key.topic))
        }
        return item
    }

    /// The group of an item.
    ///
    /// - Throws: `corrupt`.
    static func decode(_ item: DynamoDBItem, _ key: GroupKey) throws(StoreError) -> Group {
        func number(_ name: String) -> Int64? { item[name]?.integer.flatMap { $0 >= 0 ? $0 : nil } }
        func offset(_ name: String) -> Offset? {
            number(name).flatMap { $0 <= TopicItem.offsetMaximum ? Offset($0) : nil }
        }
        guard let topicCreatedAt = number(Attribute.topicCreatedAt), let createdAt = number(Attribute.createdAt),
            let committed = offset(Attribute.committedOffset), let delivered = offset(Attribute.deliveredOffset),
            committed <= delivered,
            let generation = number(Attribute.generation).flatMap({ $0 < .max ? Generation($0) : nil }),
            let version = item[Attribute.version]?.string.flatMap({ AppendID(hexadecimal: $0) })
        else {
            throw StoreError(
                .corrupt, effect: .none, "The item of the group \(key.name) of \(key.topic) is not readable.")
        }
        var lease: GroupLease?
        if let consumer = item[Attribute.consumer]?.string, let expiresAt = number(Attribute.leaseExpiresAt),
            let length = number(Attribute.leaseMilliseconds)
        {
            lease = GroupLease(
                consumer: consumer, expiresAt: Timestamp(milliseconds: expiresAt), length: .milliseconds(length))
        }
        var group = Group(
            key: key, topicCreatedAt: Timestamp(milliseconds: topicCreatedAt), committed: committed,
            delivered: delivered, generation: generation, lease: lease,
            createdAt: Timestamp(milliseconds: createdAt), version: version)
        group.isRemoved = item[Attribute.removed] != nil
        return group
    }
}
