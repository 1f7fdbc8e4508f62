import StreamsModel

/// One pass over the segments of a topic: the rules of "Read" in `docs/protocol.md`.
struct SegmentReader {
    let log: Log
    let topic: TopicName
    let head: TopicHead
    /// Where delivery ends although the topic goes on: the fork of the branch that is read; `nil` where it has none.
    var cut: Offset?
    /// Whether the newest claim's segment may be looked for at its key, without a list.
    var mayGuess = true

    /// How often a segment may vanish between list and get (merged, or trimmed) before the pass gives up.
    static let relistMaximum = 8

    /// How many bytes of segments are read before anything is known of their messages' size.
    private static let firstGroupBytes = 128 * 1024

    /// What a pass found, over one topic or over a branch and those that it came from.
    struct Pass {
        /// Messages, contiguous from where the pass began but for fillers.
        var slices: [SegmentSlice] = []
        /// The offset after the last one passed; fillers are passed too.
        var next: Offset
        /// What ended the pass, if it was neither a limit nor the end of the topic.
        var gap: Gap?

        fileprivate(set) var messageCount = 0
        /// Payload bytes so far, or the size of whole lines where nobody had to know better.
        fileprivate var byteCount = 0
        private var isEstimate = true

        init(next: Offset) {
            self.next = next
        }

        /// Whether a byte limit leaves room for more; the first message always has room.
        mutating func hasRoom(below bytesMaximum: Int) -> Bool {
            if byteCount >= bytesMaximum { countExactly() }
            return byteCount < bytesMaximum || slices.isEmpty
        }

        /// Makes ``byteCount`` exact, once the estimate would end the pass too early.
        fileprivate mutating func countExactly() {
            guard isEstimate else { return }
            byteCount = slices.reduce(0) { $0 + $1.payloadBytes }
            isEstimate = false
        }

        fileprivate mutating func append(_ slice: SegmentSlice) {
            slices.append(slice)
            next = slice.range.upperBound
            messageCount += slice.range.offsetCount
            byteCount += isEstimate ? slice.bytes.count : slice.payloadBytes
        }
    }

    /// A range of offsets where nothing is stored: trimmed, or a hole.
    struct Gap {
        /// The offsets.
        var range: Range<Offset>
        /// The segment behind it, or `nil` where the gap reaches the end of the topic.
        var following: Segment?
        /// The time before the list that showed it; `nil` where only the newest claim's key was looked at.
        var listedAt: Timestamp?
    }

    /// The offset before which the pass ends.
    private var end: Offset { cut.map { min($0, head.end) } ?? head.end }

    /// Reads on from where a pass has come to until a limit, a gap or the end of what is to be read of the topic.
    func extend(_ pass: inout Pass, limit: Int, bytesMaximum: Int) async throws(StreamsError) {
        var relists = 0
        var mayGuess = mayGuess
        while pass.next < end, pass.messageCount < limit, pass.hasRoom(below: bytesMaximum) {
            let guess = mayGuess ? newestListing(holding: pass.next) : nil
            let listedAt = log.time.now()
            let listings =
                if let guess { [guess] } else { try await list(from: pass.next, limit: limit - pass.messageCount) }
            guard !listings.isEmpty else {
                pass.gap = Gap(range: pass.next..<gapEnd, following: nil, listedAt: listedAt)
                return
            }
            switch try await read(listings, into: &pass, limit: limit, bytesMaximum: bytesMaximum) {
            case .goOn: continue
            case .stop where guess != nil && pass.gap != nil:
                // The newest claim may be closed by several fillers, of which its own key shows only the last.
                mayGuess = false
                pass.gap = nil
            case .stop:
                pass.gap?.listedAt = listedAt
                return
            case .vanished where guess != nil:
                // Nothing at the newest claim's key: its write has not finished, as far as one can tell without a list.
                pass.gap = Gap(range: pass.next..<gapEnd, following: nil, listedAt: nil)
                return
            case .vanished:
                relists += 1
                guard relists <= Self.relistMaximum else { throw .rearranging }
            }
        }
    }

    /// Where a gap ends behind which nothing is stored: at the end of the claims, whatever the fork of a branch.
    private var gapEnd: Offset { Mutant.branchHolesEndAtFork.isActive ? end : head.end }

    /// Gets the listed segments, a group at a time: how many messages one holds shows only once it is there, so the
    /// first group is small, and the next ones are sized by what a message turned out to take.
    private func read(
        _ listings: [SegmentListing], into pass: inout Pass, limit: Int, bytesMaximum: Int
    ) async throws(StreamsError) -> Step {
        var rest = listings[...]
        while !rest.isEmpty, pass.messageCount < limit, pass.hasRoom(below: bytesMaximum) {
            var wanted = Self.firstGroupBytes
            if pass.messageCount > 0 {
                wanted = (limit - pass.messageCount) * (pass.byteCount / pass.messageCount + 1)
            }
            let keys = prefix(
                of: rest, bytesMaximum: min(wanted, bytesMaximum - pass.byteCount),
                through: pass.next.advanced(by: min(limit - pass.messageCount, 1 << 32) - 1))
            rest = rest.dropFirst(keys.count)
            let segments = try await log.reading { () async throws(StoreError) in try await log.segments.get(keys) }
            let step = take(segments, into: &pass, limit: limit, bytesMaximum: bytesMaximum)
            if step == .stop, let following = pass.gap?.following, log.segments.isCache,
                !Mutant.trustCachedGaps.isActive
            {
                // Since it was cached, it may have been merged with what seems to be missing before it.
                pass.gap = nil
                let standing = try await log.reading { () async throws(StoreError) in
                    try await log.segments.getUncached([following.key])
                }
                return take(standing, into: &pass, limit: limit, bytesMaximum: bytesMaximum)
            }
            guard step == .goOn else { return step }
        }
        return .goOn
    }

    /// The newest claim's segment, where that holds `position`: its key is known without a list.
    private func newestListing(holding position: Offset) -> SegmentListing? {
        guard let start = head.lastClaimStart, position >= start else { return nil }
        return SegmentListing(key: SegmentKey(topic: topic, last: head.end.advanced(by: -1)), bodyBytes: 0)
    }

    /// The keys that may hold `position` and what follows.
    private func list(from position: Offset, limit: Int) async throws(StreamsError) -> [SegmentListing] {
        let count = min(log.segments.keysPerList, max(limit, 1))
        let listings = try await log.reading { () async throws(StoreError) in
            try await log.segments.list(topic, from: position, limit: count)
        }
        if let cut, Mutant.branchHolesEndAtFork.isActive { return listings.filter { $0.key.last < cut } }
        // Not cut off at the end of the topic as it was: what is missing below may have been merged into more.
        return Mutant.listToOldEnd.isActive ? listings.filter { $0.key.last < head.end } : listings
    }

    /// As many keys as the bytes allow, at least one, up to the one that holds `last`: there are as many offsets as
    /// messages, or more.
    private func prefix(
        of listings: ArraySlice<SegmentListing>, bytesMaximum: Int, through last: Offset
    ) -> [SegmentKey] {
        var bytes = 0
        var keys: [SegmentKey] = []
        for listing in listings {
            keys.append(listing.key)
            bytes += listing.bodyBytes
            if bytes >= bytesMaximum || listing.key.last >= last { break }
        }
        return keys
    }

    private enum Step {
        case goOn
        case stop
        case vanished
    }

    private func take(_ segments: [Segment?], into pass: inout Pass, limit: Int, bytesMaximum: Int) -> Step {
        for segment in segments {
            guard let segment else { return .vanished }
            if let cut, pass.next >= cut { return .stop }
            if Mutant.readPastHoles.isActive { pass.next = max(pass.next, segment.range.lowerBound) }
            guard segment.range.lowerBound <= pass.next else {
                pass.gap = Gap(range: pass.next..<segment.range.lowerBound, following: segment)
                return .stop
            }
            guard take(segment, into: &pass, limit: limit, bytesMaximum: bytesMaximum) else { return .stop }
        }
        return .goOn
    }

    /// Takes the messages of a segment from where the pass stands; returns whether it got through it.
    private func take(_ segment: Segment, into pass: inout Pass, limit: Int, bytesMaximum: Int) -> Bool {
        let end = cut.map { min($0, segment.range.upperBound) } ?? segment.range.upperBound
        for run in segment.messageRuns where run.range.upperBound > pass.next && run.range.lowerBound < end {
            let start = max(pass.next, run.range.lowerBound)
            let room = min(limit - pass.messageCount, start.distance(to: end))
            guard room > 0 else { return false }
            if pass.byteCount + segment.body.count > bytesMaximum { pass.countExactly() }
            guard
                let slice = SegmentSlice(
                    of: segment, run: run, from: start, limit: room,
                    bytesMaximum: bytesMaximum - pass.byteCount, takesFirst: pass.slices.isEmpty)
            else { return false }
            pass.append(slice)
            if slice.range.upperBound < run.range.upperBound { return false }
        }
        pass.next = max(pass.next, end)
        return pass.messageCount < limit
    }
}

extension StreamsError {
    /// Segments vanish between list and get again and again.
    static let rearranging = StreamsError(.unavailable, "The topic is being rearranged; try again.") {
        $0.retryAfter = .seconds(1)
    }
}
