import StreamsModel

extension Log {
    /// The offset of the first message appended at or after `time`; the end where there is none.
    ///
    /// A binary search over the topic's segments: O(log n) lists and gets, whatever the topic's size. It relies on
    /// timestamps that do not go back; where clocks did, it finds a place where they pass `time`.
    func firstOffset(since time: Timestamp, in views: TopicViews) async throws(StreamsError) -> Offset {
        // Where nothing is stored at the end of a parent's part: a claim there may still be written.
        var openPlace: Offset?
        for view in views.views {
            let start = max(view.start, views.head.earliest)
            let end = view.cut ?? view.head.end
            guard start < end else { continue }
            let search = try await search(view.topic, since: time, in: start..<end)
            // What lies below an older message is older itself, whenever it is written.
            if search.place > start { openPlace = nil }
            if search.isFound { return openPlace ?? search.place }
            if search.place < end, openPlace == nil { openPlace = search.place }
        }
        return openPlace ?? views.head.end
    }

    /// Where a search ended: all messages below are older, and at it or above there is one that is not, or there is none.
    private struct TimeSearch {
        var place: Offset
        var isFound: Bool
    }

    /// The same within a range of one topic.
    private func search(
        _ topic: TopicName, since time: Timestamp, in range: Range<Offset>
    ) async throws(StreamsError) -> TimeSearch {
        // All messages below `low` are older than `time`; at `high` and above none is.
        var isFound = false
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = low.advanced(by: low.distance(to: high) / 2)
            guard let segment = try await firstMessages(of: topic, from: middle, below: high) else {
                high = middle
                continue
            }
            let first = segment.kind == .merged ? segment.firstOffset(since: time) : segment.range.lowerBound
            let isOlder = Mutant.seekPastEqualTimes.isActive ? segment.timestamp <= time : segment.timestamp < time
            if isOlder || first == nil {
                low = segment.range.upperBound
            } else if let first, let lowest = segment.messageRuns.first?.range.lowerBound, first > lowest {
                // The messages before it are older.
                return TimeSearch(place: min(max(low, first), range.upperBound), isFound: first < range.upperBound)
            } else {
                isFound = true
                high = max(low, min(middle, segment.range.lowerBound))
            }
        }
        return TimeSearch(place: min(low, range.upperBound), isFound: isFound)
    }

    /// The first segment with messages that ends at or above `start` and begins below `end`.
    ///
    /// Never one from a cache, whose beginning may be another one by now.
    private func firstMessages(
        of topic: TopicName, from start: Offset, below end: Offset
    ) async throws(StreamsError) -> Segment? {
        var position = start
        var relists = 0
        while position < end {
            let listed = try await reading { () async throws(StoreError) in
                try await self.segments.list(topic, from: position, limit: 1).first
            }
            guard let key = listed?.key else { return nil }
            let found = try await reading { () async throws(StoreError) in try await self.segments.getUncached([key])[0]
            }
            guard let found else {
                relists += 1
                guard relists <= SegmentReader.relistMaximum else { throw .rearranging }
                continue
            }
            guard found.range.lowerBound < end else { return nil }
            if found.messageCount > 0 { return found }
            position = found.range.upperBound
        }
        return nil
    }
}
