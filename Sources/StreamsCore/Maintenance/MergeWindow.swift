import StreamsModel

/// Decides which segments are merged: a pure value that is shown one segment after the other.
///
/// What it holds is an unbroken run. A segment that does not go with the others ends the run and begins the next one.
struct MergeWindow {
    /// What is to be done about the run that a segment has ended.
    enum Action: Equatable {
        /// Nothing: go on.
        case none
        /// Merge these, all of them.
        case merge([StoredSegment])
        /// Delete these: the merged segment that comes next holds all of them.
        case deleteCovered([StoredSegment])
    }

    private let settings: MaintenanceSettings
    private(set) var inputs: [StoredSegment] = []
    private var parts: [SegmentPart] = []
    private var bytes = 0

    init(_ settings: MaintenanceSettings) {
        self.settings = settings
    }

    /// The first offset that the run covers; `nil` where there is no run.
    var start: Offset? { inputs.map(\.segment.range.lowerBound).min() }

    /// Adds the next segment, which leaves no gap to the run.
    mutating func add(_ stored: StoredSegment) -> Action {
        let segment = stored.segment
        if let end = inputs.last?.segment.range.upperBound, segment.range.lowerBound < end {
            // What an earlier compaction merged, and did not get to delete.
            let covered = inputs.filter { segment.holds($0.segment) }
            let action: Action = covered.isEmpty ? .none : .deleteCovered(covered)
            // Of what overlaps in any other way, nothing is merged.
            begin(with: segment.body.count < settings.largeBytes ? stored : nil)
            return action
        }
        guard segment.body.count < settings.largeBytes else { return finish() }
        while !fits(segment) {
            // A run that is not worth it loses what is full already: the rest may become worth it.
            if inputs.count < settings.segmentsMinimum {
                removeFirst()
                continue
            }
            let action = finish()
            begin(with: stored)
            return action
        }
        append(stored)
        return .none
    }

    /// Ends the run.
    mutating func finish() -> Action {
        defer { begin(with: nil) }
        return isWorthMerging ? .merge(inputs) : .none
    }

    /// Whether the run, as it is, would be merged.
    ///
    /// What is written must have more lines than what it replaces: S3 tells bodies apart, and not metadata, so that the
    /// version of a key would otherwise stay the same, and another compactor could not tell that it reaches further.
    var isWorthMerging: Bool {
        inputs.count >= max(settings.segmentsMinimum, 2) && inputs.dropLast().contains { !$0.segment.body.isEmpty }
    }

    private func fits(_ segment: Segment) -> Bool {
        guard !inputs.isEmpty else { return true }
        let parts = SegmentPart.joined(parts + segment.asParts)
        return parts.count <= settings.partsMaximum
            && SegmentPartsCoding.byteCount(of: parts) <= SegmentPartsCoding.bytesMaximum
            && bytes + segment.body.count <= settings.mergedBytesMaximum
    }

    private mutating func begin(with stored: StoredSegment?) {
        inputs = []
        parts = []
        bytes = 0
        if let stored { append(stored) }
    }

    private mutating func append(_ stored: StoredSegment) {
        inputs.append(stored)
        parts = SegmentPart.joined(parts + stored.segment.asParts)
        bytes += stored.segment.body.count
    }

    private mutating func removeFirst() {
        let rest = inputs.dropFirst()
        begin(with: nil)
        for stored in rest { append(stored) }
    }
}

extension SegmentPart {
    /// The parts with neighbouring fillers as one.
    static func joined(_ parts: [SegmentPart]) -> [SegmentPart] {
        parts.reduce(into: []) { joined, part in
            if let last = joined.last, last.content == .filler, part.content == .filler {
                joined[joined.count - 1].offsetCount += part.offsetCount
            } else {
                joined.append(part)
            }
        }
    }
}

extension Segment {
    /// What segments become that lie side by side: it stands at the key of the last one.
    static func merged(_ segments: [Segment]) -> Segment? {
        guard let last = segments.last, let newest = segments.map(\.timestamp).max() else { return nil }
        let lowest = segments.map(\.range.lowerBound).min() ?? last.range.lowerBound
        let parts = SegmentPart.joined(segments.flatMap(\.asParts))
        var merged = Segment(
            topic: last.topic, range: lowest..<last.range.upperBound, kind: .merged, appendID: last.appendID,
            previousClaim: nil, timestamp: newest, body: Array(segments.map(\.body).joined()), parts: parts)
        if parts == [SegmentPart(offsetCount: merged.range.offsetCount, content: .filler)] {
            merged.kind = .filler
            merged.parts = []
        }
        return merged
    }

    /// Whether this merged segment, or filler, has everything of another one.
    func holds(_ other: Segment) -> Bool {
        guard kind != .messages, range.lowerBound <= other.range.lowerBound, other.range.upperBound <= range.upperBound
        else { return false }
        var start = other.range.lowerBound
        for part in other.asParts {
            let end = start.advanced(by: part.offsetCount)
            guard let (own, ownRange) = self.part(holding: start), own.content == part.content,
                part.content == .filler ? ownRange.upperBound >= end : ownRange == start..<end
            else { return false }
            start = end
        }
        return true
    }
}
