package import StreamsModel

/// Which group: its name counts within its topic.
package struct GroupKey: Hashable, Sendable {
    /// The topic.
    package var topic: TopicName
    /// The group's name.
    package var name: GroupName

    /// Names a group.
    package init(topic: TopicName, name: GroupName) {
        self.topic = topic
        self.name = name
    }
}

/// A consumer group as the table keeps it: a position in one topic, and who may move it.
///
/// Its states: *free* (no lease) → a receive → *leased* → a release, a seek → *free*. A lease past its time is as good
/// as none to everybody who asks for one; its holder may still commit until somebody takes it.
package struct Group: Sendable, Equatable {
    /// Which group.
    package var key: GroupKey
    /// When the topic was created that the group belongs to: a topic of that name made again has no groups.
    package var topicCreatedAt: Timestamp
    /// The next offset to process: all below is done.
    package var committed: Offset
    /// Where the holder of the lease goes on: all from ``committed`` to here was handed out to it.
    package var delivered: Offset
    /// The newest lease, or the newest seek, by number.
    package var generation: Generation
    /// Who holds the group, and until when; `nil` where nobody does.
    package var lease: GroupLease?
    /// When the group was created.
    package var createdAt: Timestamp
    /// Whether it was deleted: such a group is as good as none, and stands for a while where late requests may come.
    package var isRemoved = false
    /// Drawn anew for each write, so that a write can name the state that it was made from.
    package var version: AppendID

    /// Makes a state.
    package init(
        key: GroupKey, topicCreatedAt: Timestamp, committed: Offset, delivered: Offset, generation: Generation,
        lease: GroupLease?, createdAt: Timestamp, version: AppendID
    ) {
        self.key = key
        self.topicCreatedAt = topicCreatedAt
        self.committed = committed
        self.delivered = delivered
        self.generation = generation
        self.lease = lease
        self.createdAt = createdAt
        self.version = version
    }
}

/// A consumer's hold on a group.
package struct GroupLease: Sendable, Equatable {
    /// The consumer, by the name that it gave itself.
    package var consumer: String
    /// When it ends unless it is renewed.
    package var expiresAt: Timestamp
    /// For how long a commit renews it.
    package var length: Duration

    /// Makes a lease.
    package init(consumer: String, expiresAt: Timestamp, length: Duration) {
        self.consumer = consumer
        self.expiresAt = expiresAt
        self.length = length
    }
}

/// A place in a topic that a group is set to.
package enum GroupStart: Sendable, Equatable {
    /// The first message that is kept.
    case earliest
    /// After the last message.
    case latest
    /// This offset.
    case offset(Offset)
}
