package import StreamsModel

/// Checks a topic, segment by segment in order of their keys: a pure value.
package struct TopicVerifier: Sendable {
    /// What was found so far.
    package private(set) var findings: [Finding] = []
    /// How many segments were seen.
    package private(set) var segmentCount = 0
    /// How many messages were seen.
    package private(set) var messageCount = 0

    private let topic: TopicName
    private let head: TopicHead?
    private let now: Timestamp
    /// The offset behind everything seen so far, from the low mark on.
    private var next: Offset
    private var last: Segment?

    /// How old a claim must be for its hole to count as an error: maintenance, or any reader, would have closed it.
    package static let holeAge = Duration.seconds(3600)

    /// Begins with what the topic's item says; `nil` where there is none.
    package init(_ topic: TopicName, head: TopicHead?, at now: Timestamp) {
        self.topic = topic
        self.head = head
        self.now = now
        next = max(head?.earliest ?? .first, head?.branch?.fork ?? .first)
    }

    /// Looks at the next segment, or at why there is none to look at.
    package mutating func see(_ key: SegmentKey, _ result: Result<Segment, StoreError>) {
        segmentCount += 1
        switch result {
        case .failure(let error):
            report(.unreadable, at: key.last, error.message)
            // What it held is not known: nothing is said of what lies below it.
            next = max(next, key.last.advanced(by: 1))
            last = nil
        case .success(let segment):
            see(segment)
        }
    }

    private mutating func see(_ segment: Segment) {
        messageCount += segment.messageCount
        if let defect = segment.defect { report(.segment, at: segment.range.last, "The segment \(defect).") }
        let start = segment.range.lowerBound
        if let last, start < last.range.upperBound {
            if segment.holds(last) {
                report(
                    .leftover, at: last.range.last, "The segment is held by the one of offset \(segment.range.last).")
            } else if !isContinuation(segment, of: last) {
                report(.overlap, at: start, "The segments of \(last.range.last) and \(segment.range.last) cover it.")
            }
        } else if start > next, segmentCount > 1 || head != nil {
            let isOld = segment.timestamp.duration(to: now) >= Self.holeAge
            report(isOld ? .gap : .unfinished, at: next, "Nothing is stored up to offset \(start.advanced(by: -1)).")
        }
        next = max(next, segment.range.upperBound)
        last = segment
    }

    /// Whether two merged segments overlap in what both hold: two compactors had different bounds.
    private func isContinuation(_ segment: Segment, of last: Segment) -> Bool {
        var position = max(segment.range.lowerBound, last.range.lowerBound)
        while position < last.range.upperBound {
            guard let one = segment.part(holding: position), let other = last.part(holding: position),
                one.part.content == other.part.content
            else { return false }
            position = min(one.range.upperBound, other.range.upperBound)
        }
        return true
    }

    /// Looks at what the item says beyond the last segment.
    package mutating func finish() {
        guard let head else {
            if segmentCount > 0 {
                report(.noItem, "The topic has no item, and \(segmentCount) segments up to offset \(lastOffset).")
            }
            return
        }
        if head.closedUntil != nil { report(.closed, "The topic takes no appends until its counter is recovered.") }
        if head.earliest > head.end { report(.item, "It begins at \(head.earliest), above its end, \(head.end).") }
        if let start = head.lastClaimStart, start >= head.end {
            report(.item, "Its newest claim begins at \(start), which is not below its end, \(head.end).")
        }
        if next > head.end {
            report(.counterBehind, at: next.advanced(by: -1), "The counter says that the topic ends at \(head.end).")
        } else if next < head.end {
            let isOld = head.lastClaimedAt.duration(to: now) >= Self.holeAge
            report(isOld ? .gap : .unfinished, at: next, "Nothing is stored up to the end, \(head.end).")
        }
    }

    private var lastOffset: String { last.map { "\($0.range.last)" } ?? "?" }

    private mutating func report(_ kind: Finding.Kind, at offset: Offset? = nil, _ text: String) {
        findings.append(Finding(kind, of: topic, at: offset, text))
    }
}
