import StreamsModel

/// The segments of a topic.
struct InMemorySegments {
    /// In order of their last offsets, no two with the same.
    private var segments: [Segment] = []

    mutating func put(_ segment: Segment) -> PutOutcome {
        let index = index(atOrAbove: segment.range.last)
        if index < segments.endIndex, segments[index].range.last == segment.range.last { return .taken }
        segments.insert(segment, at: index)
        return .stored
    }

    func segment(at last: Offset) -> Segment? {
        let index = index(atOrAbove: last)
        guard index < segments.endIndex, segments[index].range.last == last else { return nil }
        return segments[index]
    }

    func list(from: Offset, limit: Int) -> [SegmentListing] {
        segments[index(atOrAbove: from)...].prefix(limit).map { segment in
            SegmentListing(key: segment.key, bodyBytes: segment.body.count)
        }
    }

    mutating func removeAll(below offset: Offset) {
        segments.removeSubrange(..<index(atOrAbove: offset))
    }

    /// The place of the first segment whose last offset is `offset` or above.
    private func index(atOrAbove offset: Offset) -> Int { segments.firstIndex(past: { $0.range.last < offset }) }
}
