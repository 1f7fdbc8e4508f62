import Logging
import StreamsModel
import Synchronization

/// When this process first saw which hole, by its own clock: evidence of age that no other clock can spoil.
struct HoleSightings {
    private var firstSeen: [SegmentKey: Duration] = [:]
    /// Bounds the memory; a forgotten sighting costs a reader one more `holeTimeout`.
    private static let countMaximum = 1024

    /// How long this hole, known by its last offset, has been seen.
    mutating func age(of hole: SegmentKey, at uptime: Duration) -> Duration {
        if let seen = firstSeen[hole] { return uptime - seen }
        if firstSeen.count >= Self.countMaximum { firstSeen.removeAll() }
        firstSeen[hole] = uptime
        return .zero
    }

    mutating func forget(_ hole: SegmentKey) {
        firstSeen[hole] = nil
    }
}

extension Log {
    /// What a gap turned out to be.
    enum GapResolution {
        /// Below the low mark by now: look at the topic again.
        case trimmed
        /// A hole that is closed now: look again.
        case closed
        /// Old enough to be closed, but no list has shown it yet: look again, with a list.
        case unlisted
        /// A hole whose write may still finish for this long.
        case unfinished(due: Duration)
    }

    /// Decides what a gap is, and closes it when it is a hole whose evidence is old enough.
    func resolve(
        _ gap: SegmentReader.Gap, of topic: TopicName, in head: TopicHead
    ) async throws(StreamsError) -> GapResolution {
        // The low mark may have moved while the read was under way: only an item read after the gap showed decides.
        if !Mutant.judgeGapsByOldHead.isActive, let current = try await self.head(of: topic),
            gap.range.lowerBound < current.earliest
        {
            return .trimmed
        }
        let hole = SegmentKey(topic: topic, last: gap.range.last)
        let seen = holes.withLock { $0.age(of: hole, at: time.uptime()) }
        // Every claim in the hole is at least as old as the claim of what follows it.
        let claimed = gap.following?.timestamp ?? head.lastClaimedAt
        let age = max(seen, claimed.duration(to: time.now()))
        guard age >= configuration.holeTimeout else { return .unfinished(due: configuration.holeTimeout - age) }
        guard let listedAt = gap.listedAt else { return .unlisted }
        if Mutant.judgeGapsByFirstSegment.isActive, gap.range.lowerBound == head.earliest, gap.following != nil {
            try await pass(gap, settledBelow: gap.range.upperBound, of: topic, in: head, listedAt: listedAt)
        } else if let settled = head.settledBelow, gap.range.lowerBound < settled {
            try await pass(gap, settledBelow: settled, of: topic, in: head, listedAt: listedAt)
        } else {
            try await fill(gap, of: topic, in: head, listedAt: listedAt)
        }
        holes.withLock { $0.forget(hole) }
        return .closed
    }

    /// Passes a gap below the offset where nothing is on its way any more.
    ///
    /// At the topic's beginning it is what has expired: the low mark moves up to its end. Elsewhere one filler closes
    /// all of it, since nothing can land inside.
    private func pass(
        _ gap: SegmentReader.Gap, settledBelow settled: Offset, of topic: TopicName, in head: TopicHead,
        listedAt: Timestamp
    ) async throws(StreamsError) {
        let end = min(gap.range.upperBound, settled)
        if gap.range.lowerBound == head.earliest {
            return try await reading { () async throws(StoreError) in
                try await self.table.moveLowMark(of: topic, to: end)
            }
        }
        let filler = Segment.filler(
            topic, gap.range.lowerBound..<end, appendID: makeAppendID(), timestamp: listedAt)
        let outcome = try await reading { () async throws(StoreError) in
            try await self.segments.put(filler, signedAt: listedAt)
        }
        if outcome == .stored { counters.filled() }
    }

    /// Closes a hole with fillers, from its top down.
    ///
    /// Never bottom-up, and never one filler over claims whose bounds are not known: a batch in flight lands at the key
    /// of its last offset, so a lower key may only be used once the key of its claim is taken.
    private func fill(
        _ gap: SegmentReader.Gap, of topic: TopicName, in head: TopicHead, listedAt: Timestamp
    ) async throws(StreamsError) {
        if Mutant.fillBottomUp.isActive || Mutant.fillWhole.isActive {
            return try await fillWrongly(gap, of: topic, listedAt: listedAt)
        }
        var end = gap.range.upperBound
        var claimStart = gap.following.map { $0.kind == .messages ? $0.previousClaim : nil } ?? head.lastClaimStart
        while end > gap.range.lowerBound {
            // A hole of many claims takes a while to close, and may be trimmed, or the reader gone, meanwhile.
            if end < gap.range.upperBound {
                let earliest = try await self.head(of: topic)?.earliest ?? .first
                if Task.isCancelled || isClosed || end <= earliest { return }
            }
            let last = end.advanced(by: -1)
            let start = claimStart.map { min($0, last) } ?? last
            let filler = Segment.filler(topic, start..<end, appendID: makeAppendID(), timestamp: listedAt)
            switch try await reading({ () async throws(StoreError) in
                try await self.segments.put(filler, signedAt: listedAt)
            }) {
            case .stored:
                counters.filled()
                logger.debug("closed a hole", metadata: ["topic": "\(topic)", "from": "\(start)", "to": "\(last)"])
                end = start
                claimStart = nil
            case .taken:
                let standing = try await reading { () async throws(StoreError) in
                    try await self.segments.getUncached([filler.key])[0]
                }
                // Gone again: merged away. The caller looks at the topic anew.
                guard let standing else { return }
                end = standing.range.lowerBound
                claimStart = standing.kind == .messages ? standing.previousClaim : nil
            }
        }
    }

    /// What two of the mutants do instead.
    private func fillWrongly(
        _ gap: SegmentReader.Gap, of topic: TopicName, listedAt: Timestamp
    ) async throws(StreamsError) {
        var start = gap.range.lowerBound
        while start < gap.range.upperBound {
            let end = Mutant.fillWhole.isActive ? gap.range.upperBound : start.advanced(by: 1)
            let filler = Segment.filler(topic, start..<end, appendID: makeAppendID(), timestamp: listedAt)
            _ = try await reading { () async throws(StoreError) in
                try await self.segments.put(filler, signedAt: listedAt)
            }
            start = end
        }
    }
}
