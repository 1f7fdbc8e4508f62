import StreamsModel

/// The segments of a topic.
struct InMemorySegments {
    /// In order of their last offsets, no two with the same.
    private var segments: [StoredSegment] = []
    private var writeCount = 0

    mutating func put(_ segment: Segment) -> PutOutcome {
        let index = index(atOrAbove: segment.range.last)
        if index < segments.endIndex, segments[index].segment.range.last == segment.range.last { return .taken }
        segments.insert(nextVersion(of: segment), at: index)
        return .stored
    }

    mutating func replace(_ version: SegmentVersion, with segment: Segment) -> Bool {
        guard let index = index(of: segment.range.last), segments[index].version == version else { return false }
        segments[index] = nextVersion(of: segment)
        return true
    }

    /// Returns whether nothing stands at the key any more.
    mutating func delete(_ last: Offset, _ version: SegmentVersion?) -> Bool {
        guard let index = index(of: last) else { return true }
        guard version == nil || segments[index].version == version else { return false }
        segments.remove(at: index)
        return true
    }

    func segment(at last: Offset) -> StoredSegment? { index(of: last).map { segments[$0] } }

    func list(from: Offset, limit: Int) -> [SegmentListing] {
        segments[index(atOrAbove: from)...].prefix(limit).map { stored in
            SegmentListing(key: stored.segment.key, bodyBytes: stored.segment.body.count)
        }
    }

    mutating func removeAll(below offset: Offset) {
        segments.removeSubrange(..<index(atOrAbove: offset))
    }

    var isEmpty: Bool { segments.isEmpty }

    private mutating func nextVersion(of segment: Segment) -> StoredSegment {
        writeCount += 1
        return StoredSegment(segment: segment, version: SegmentVersion(rawValue: String(writeCount)))
    }

    /// The place of the first segment whose last offset is `offset` or above.
    private func index(atOrAbove offset: Offset) -> Int {
        segments.firstIndex(past: { $0.segment.range.last < offset })
    }

    private func index(of last: Offset) -> Int? {
        let index = index(atOrAbove: last)
        return index < segments.endIndex && segments[index].segment.range.last == last ? index : nil
    }
}
