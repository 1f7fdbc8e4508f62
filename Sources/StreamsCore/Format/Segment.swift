package import StreamsModel

/// An immutable run of consecutive messages, a filler, or what several of both were merged into.
///
/// Stored (never renumber, never reorder): the body is NDJSON, one message a line, each line ending in `\n`:
///
///     {"offset":42,"payload":…,"timestamp":1702000000000,"key":"…","headers":{…}}
///
/// with `key` and `headers` where they were given. The body of a filler is empty, that of a merged segment has the lines
/// of its parts. Everything else is metadata, kept beside the body: object metadata on S3, columns in SQLite.
package struct Segment: Sendable, Equatable {
    /// What a segment holds.
    package enum Kind: Int, Sendable {
        /// Messages, one for each offset of the range.
        case messages = 0
        /// Nothing: the range will never hold messages.
        case filler = 1
        /// What segments that lay side by side held: messages, and perhaps fillers, see ``Segment/parts``.
        case merged = 2
    }

    /// The version of the body's format that this code writes.
    package static let format = 1

    /// The topic.
    package var topic: TopicName
    /// The offsets covered, never empty.
    package var range: Range<Offset>
    /// What it holds.
    package var kind: Kind
    /// The id of the append that wrote it.
    package var appendID: AppendID
    /// The first offset of the claim before this segment's, where known; of a merged one never.
    package var previousClaim: Offset?
    /// The time of the claim: the timestamp of each message.
    ///
    /// Of a filler: the time of the list that showed the hole. Of a merged segment: the latest one of its parts; each
    /// line has its own.
    package var timestamp: Timestamp
    /// The messages as NDJSON.
    package var body: [UInt8]
    /// What a merged segment was made of, in order and without gaps; empty for every other kind.
    package var parts: [SegmentPart]

    /// Makes a segment.
    package init(
        topic: TopicName, range: Range<Offset>, kind: Kind, appendID: AppendID, previousClaim: Offset?,
        timestamp: Timestamp, body: [UInt8], parts: [SegmentPart] = []
    ) {
        self.topic = topic
        self.range = range
        self.kind = kind
        self.appendID = appendID
        self.previousClaim = previousClaim
        self.timestamp = timestamp
        self.body = body
        self.parts = parts
    }

    /// A segment that closes a hole for ever.
    package static func filler(
        _ topic: TopicName, _ range: Range<Offset>, appendID: AppendID, previousClaim: Offset? = nil,
        timestamp: Timestamp
    ) -> Segment {
        Segment(
            topic: topic, range: range, kind: .filler, appendID: appendID, previousClaim: previousClaim,
            timestamp: timestamp, body: [])
    }

    /// Where the segment is stored.
    package var key: SegmentKey { SegmentKey(topic: topic, last: range.last) }
}
