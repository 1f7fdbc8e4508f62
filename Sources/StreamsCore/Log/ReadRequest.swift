package import StreamsModel

/// What a reader asks for.
package struct ReadRequest: Sendable {
    /// Where to begin.
    package enum Start: Sendable, Equatable {
        /// At this offset.
        case offset(Offset)
        /// At the first message that is kept.
        case earliest
        /// After the last message.
        case latest
        /// At the first message appended at or after this time.
        case since(Timestamp)
    }

    /// The topic.
    package var topic: TopicName
    /// Where to begin.
    package var start: Start
    /// Most messages, at least 1.
    package var limit: Int
    /// Most payload bytes; one message comes however large it is.
    package var bytesMaximum: Int
    /// How long to wait for a first message.
    package var wait: Duration
    /// Whether an offset below the earliest one jumps forward instead of failing.
    package var jumpsOverTrimmed: Bool

    /// Makes a request.
    package init(
        topic: TopicName, start: Start, limit: Int, bytesMaximum: Int, wait: Duration = .zero,
        jumpsOverTrimmed: Bool = false
    ) {
        self.topic = topic
        self.start = start
        self.limit = limit
        self.bytesMaximum = bytesMaximum
        self.wait = wait
        self.jumpsOverTrimmed = jumpsOverTrimmed
    }
}

/// What a read returns: messages in order with none missing between them.
package struct ReadPage: Sendable, Equatable {
    /// The messages, as slices of stored segments.
    package var slices: [SegmentSlice]
    /// Where to go on.
    package var next: Offset
    /// The log end offset when the read looked.
    package var end: Offset
    /// When the topic was created; `nil` where there is none.
    package var topicCreatedAt: Timestamp?

    /// How many messages it holds.
    package var messageCount: Int { slices.reduce(0) { $0 + $1.range.offsetCount } }
}
