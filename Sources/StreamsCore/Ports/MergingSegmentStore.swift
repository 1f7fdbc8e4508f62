package import StreamsModel

/// A segment store on which segments can be merged: what stands at a key can be replaced and deleted, each on condition
/// that it is still what the caller has read.
///
/// On AWS these are the conditional writes and deletes of S3. The embedded store has no use for it: there a segment
/// costs no request.
package protocol MergingSegmentStore: SegmentStore {
    /// The segments at these keys as they stand now, each with its version; `nil` where there is none.
    func getVersions(_ keys: [SegmentKey]) async throws(StoreError) -> [StoredSegment?]

    /// Puts a segment in the place of the one of this version at the same key; returns whether this call did.
    ///
    /// The body must have more lines than the one that it replaces, or the version stays the same.
    /// `false` may also tell of the caller's own earlier try, whose answer was lost.
    func replace(_ version: SegmentVersion, with segment: Segment) async throws(StoreError) -> Bool

    /// Deletes the segment of this version; returns whether nothing stands at the key any more.
    ///
    /// Idempotent: where nothing stood, that is so too. `false` means that another version stands there.
    func delete(_ key: SegmentKey, _ version: SegmentVersion) async throws(StoreError) -> Bool

    /// Deletes whatever stands at these keys, at most ``deletesPerCall``: for what is trimmed.
    ///
    /// Idempotent. Nothing may be on its way to any of them.
    func delete(_ keys: [SegmentKey]) async throws(StoreError)

    /// How many keys one ``delete(_:)`` takes.
    var deletesPerCall: Int { get }

    /// The names of at most `limit` topics that have segments, whether the table knows them or not: those that come after
    /// `after`, in the order of the bytes of name and slash.
    func storedTopics(after: String, limit: Int) async throws(StoreError) -> [TopicName]
}

/// Tells one state of what stands at a key from every other with another body: on S3 an ETag.
package struct SegmentVersion: Hashable, Sendable {
    /// The store's own text.
    package var rawValue: String

    /// Makes a version from the store's own text.
    package init(rawValue: String) {
        self.rawValue = rawValue
    }
}

/// A segment as it stands in the store.
package struct StoredSegment: Sendable, Equatable {
    /// The segment.
    package var segment: Segment
    /// Which state of its key it is.
    package var version: SegmentVersion

    /// Makes a stored segment.
    package init(segment: Segment, version: SegmentVersion) {
        self.segment = segment
        self.version = version
    }
}
