package import StreamsModel

/// What a request asks of its append beside the messages.
package struct AppendConditions: Sendable, Equatable {
    /// The key by which the request is known when it comes again, with the digest of its body.
    package var idempotency: Idempotency?
    /// The offset that the first message must get.
    package var expectedOffset: Offset?
    /// The token that must be the topic's.
    package var fencingToken: FencingToken?

    /// A request that can be repeated.
    package struct Idempotency: Sendable, Equatable {
        /// The key.
        package var key: IdempotencyKey
        /// What tells whether it comes with the same body.
        package var digest: RequestDigest

        /// Makes the value.
        package init(key: IdempotencyKey, digest: RequestDigest) {
            self.key = key
            self.digest = digest
        }
    }

    /// Makes conditions; none where nothing is given.
    package init(
        idempotency: Idempotency? = nil, expectedOffset: Offset? = nil, fencingToken: FencingToken? = nil
    ) {
        self.idempotency = idempotency
        self.expectedOffset = expectedOffset
        self.fencingToken = fencingToken
    }

    /// Whether the append must have a claim of its own: of one that others share, a part can be neither repeated nor
    /// refused.
    package var needOwnClaim: Bool { idempotency != nil || expectedOffset != nil }
}

/// The appends of a topic that go together: they differ in nothing that a claim asks for.
package struct AppendLane: Hashable, Comparable, Sendable {
    /// The topic.
    package var topic: TopicName
    /// The token that all of them carry.
    package var fencingToken: FencingToken?
    /// What sets the lane of a single append apart from all others; `nil` for the one that many share.
    package var number: UInt64?

    /// Makes a lane.
    package init(_ topic: TopicName, fencingToken: FencingToken? = nil, number: UInt64? = nil) {
        self.topic = topic
        self.fencingToken = fencingToken
        self.number = number
    }

    /// An order for lists: by topic, the shared lane of plain appends first.
    package static func < (left: AppendLane, right: AppendLane) -> Bool {
        if left.topic != right.topic { return left.topic < right.topic }
        if left.number != right.number { return left.number ?? 0 < right.number ?? 0 }
        return (left.fencingToken?.rawValue ?? "") < (right.fencingToken?.rawValue ?? "")
    }
}
