package import StreamsModel

/// The large half of storage: immutable segments, written once under the key of their last offset.
///
/// On AWS this is S3, in the embedded store a table of the SQLite file. A segment that was stored is seen by every
/// call that begins afterwards. Every implementation passes the suite in `StreamsTesting`.
package protocol SegmentStore: Sendable {
    /// How many keys one ``list(_:from:limit:)`` returns best: a page of the store.
    var keysPerList: Int { get }

    /// Stores a segment, which lies within a claim, unless its key is taken; nothing is ever overwritten.
    ///
    /// A retry after an unknown outcome may find `taken` by the caller's own earlier try: compare append ids.
    /// `signedAt` is the time of the claim (or of the list that showed the hole), which bounds how late the write can
    /// still land.
    func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome

    /// The segments at these keys, in the order of the keys; `nil` where there is none. The keys may be of several
    /// topics, and may be none.
    ///
    /// A cache may show a segment that was merged meanwhile: whoever draws conclusions from where a segment begins asks
    /// ``getUncached(_:)``.
    func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?]

    /// The same, but never what was kept from earlier.
    func getUncached(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?]

    /// Whether ``get(_:)`` may show what was kept from earlier.
    var isCache: Bool { get }

    /// At most `limit` keys, at least 1, of a topic from the first one at or above `from`, in order of offset.
    ///
    /// Fewer than `limit` mean that there are no more.
    func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing]
}

extension SegmentStore {
    /// Nothing is kept from earlier: the same as ``get(_:)``.
    package func getUncached(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] { try await get(keys) }

    /// Nothing is kept from earlier.
    package var isCache: Bool { false }
}

/// How a put went.
package enum PutOutcome: Sendable, Equatable {
    /// The segment is durable.
    case stored
    /// Another segment, or an earlier try of this one, stands at the key.
    case taken
}

/// What a list says of a segment.
package struct SegmentListing: Sendable, Equatable {
    /// The segment's key.
    package var key: SegmentKey
    /// The size of its body in bytes.
    package var bodyBytes: Int

    /// Makes a listing.
    package init(key: SegmentKey, bodyBytes: Int) {
        self.key = key
        self.bodyBytes = bodyBytes
    }
}

/// Where a segment is stored: its topic and its last offset.
package struct SegmentKey: Hashable, Sendable {
    /// The topic.
    package var topic: TopicName
    /// The last offset in the segment.
    package var last: Offset

    /// Makes a key.
    package init(topic: TopicName, last: Offset) {
        self.topic = topic
        self.last = last
    }
}
