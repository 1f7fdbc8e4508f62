package import StreamsModel

extension SegmentStore {
    /// Up to where a topic is to be trimmed by its own settings; its earliest offset, or its fork, where nothing is.
    ///
    /// Judged by what is stored: the mark is always the end of a stored segment, so a write that is under way above is not
    /// touched. Costs O(log n) lists and gets for a bound by age, and a list of all that is kept for one by bytes.
    package func retentionMark(
        of topic: TopicName, in head: TopicHead, at now: Timestamp
    ) async throws(StoreError) -> Offset {
        let start = max(head.earliest, head.branch?.fork ?? .first)
        var mark = start
        if let age = head.settings.retentionMilliseconds, !head.isDeleted {
            let cutoff = Timestamp(milliseconds: now.milliseconds - age)
            mark = try await endOfOlder(than: cutoff, of: topic, in: mark..<max(mark, head.end))
        }
        if let bytes = head.settings.retentionBytes, !head.isDeleted {
            mark = try await startOfNewest(bytes, of: topic, in: mark..<max(mark, head.end))
        }
        return min(mark, head.end)
    }

    /// The end of the last segment in the range that is older than `cutoff`, by binary search; the range's start where
    /// none is.
    private func endOfOlder(
        than cutoff: Timestamp, of topic: TopicName, in range: Range<Offset>
    ) async throws(StoreError) -> Offset {
        // What ends at `low` is older than the cutoff; nothing at `high` and above is.
        var low = range.lowerBound
        var high = range.upperBound
        while low < high {
            let middle = low.advanced(by: low.distance(to: high) / 2)
            guard let key = try await list(topic, from: middle, limit: 1).first?.key,
                let segment = try await get([key])[0], segment.range.lowerBound < high
            else {
                high = middle
                continue
            }
            if segment.timestamp < cutoff {
                low = segment.range.upperBound
            } else {
                high = max(low, min(middle, segment.range.lowerBound))
            }
        }
        return low
    }

    /// Where the newest segments begin that hold at most so many bytes together.
    private func startOfNewest(
        _ bytesMaximum: Int64, of topic: TopicName, in range: Range<Offset>
    ) async throws(StoreError) -> Offset {
        var sizes: [(end: Offset, bytes: Int)] = []
        var total: Int64 = 0
        var position = range.lowerBound
        while position < range.upperBound {
            let page = try await list(topic, from: position, limit: 1000)
            for listing in page where listing.key.last < range.upperBound {
                sizes.append((listing.key.last.advanced(by: 1), listing.bodyBytes))
                total += Int64(listing.bodyBytes)
            }
            guard page.count == 1000, let last = page.last?.key.last else { break }
            position = last.advanced(by: 1)
        }
        var mark = range.lowerBound
        for (end, bytes) in sizes {
            guard total > bytesMaximum else { break }
            total -= Int64(bytes)
            mark = end
        }
        return mark
    }
}
