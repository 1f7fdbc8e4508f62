package import StreamsModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Consecutive whole messages of a stored segment: what a read returns, as the stored bytes.
package struct SegmentSlice: Sendable, Equatable {
    /// The body of the whole segment, shared, not copied.
    package let body: [UInt8]
    /// The lines of this slice in ``body``; ends after a line's `\n`.
    package let bytes: Range<Int>
    /// The offsets of the slice.
    package let range: Range<Offset>

    /// The messages of a segment from `start` on, as many as the limits allow; `nil` where not even one fits.
    ///
    /// - Parameters:
    ///   - segment: the segment.
    ///   - run: the messages of it to choose from.
    ///   - start: the first offset wanted, within the run.
    ///   - limit: most messages, at least 1.
    ///   - bytesMaximum: most payload bytes.
    ///   - takesFirst: whether the first message is taken however large it is.
    package init?(
        of segment: Segment, run: MessageRun, from start: Offset, limit: Int, bytesMaximum: Int, takesFirst: Bool
    ) {
        precondition(run.range.contains(start), "slice outside of its segment")
        let body = segment.body
        let count = min(limit, start.distance(to: run.range.upperBound))
        let line = run.firstLine + run.range.lowerBound.distance(to: start)
        let lower = Self.position(ofLine: line, in: body, from: 0)
        // Nothing comes behind the segment's last message: its end need not be looked for.
        let isTail = start.advanced(by: count) == segment.range.upperBound
        let upper = isTail ? body.count : Self.position(ofLine: count, in: body, from: lower)
        // Lines are longer than their payloads, so most slices need no look at single payloads.
        guard upper - lower > bytesMaximum else {
            self.init(body: body, bytes: lower..<upper, range: start..<start.advanced(by: count))
            return
        }
        var end = lower
        var taken = 0
        var payloadBytes = 0
        while taken < count {
            let lineEnd = Self.position(ofLine: 1, in: body, from: end)
            payloadBytes += MessageLine.payload(in: body, line: end..<lineEnd).count
            if payloadBytes > bytesMaximum, taken > 0 || !takesFirst { break }
            end = lineEnd
            taken += 1
        }
        guard taken > 0 else { return nil }
        self.init(body: body, bytes: lower..<end, range: start..<start.advanced(by: taken))
    }

    /// The same, from the run of messages that holds `start`.
    package init?(of segment: Segment, from start: Offset, limit: Int, bytesMaximum: Int, takesFirst: Bool) {
        guard let run = segment.messageRuns.first(where: { $0.range.contains(start) }) else {
            preconditionFailure("slice outside of its segment")
        }
        self.init(
            of: segment, run: run, from: start, limit: limit, bytesMaximum: bytesMaximum, takesFirst: takesFirst)
    }

    private init(body: [UInt8], bytes: Range<Int>, range: Range<Offset>) {
        self.body = body
        self.bytes = bytes
        self.range = range
    }

    /// The first `count` messages of the slice, at least one and at most all.
    package func prefix(_ count: Int) -> SegmentSlice {
        precondition(count > 0 && count <= range.offsetCount, "prefix longer than the slice")
        let end = min(Self.position(ofLine: count, in: body, from: bytes.lowerBound), bytes.upperBound)
        return SegmentSlice(
            body: body, bytes: bytes.lowerBound..<end,
            range: range.lowerBound..<range.lowerBound.advanced(by: count))
    }

    /// The size of the slice's payloads in bytes; walks over all of them.
    package var payloadBytes: Int {
        var total = 0
        var position = bytes.lowerBound
        while position < bytes.upperBound {
            let lineEnd = Self.position(ofLine: 1, in: body, from: position)
            total += MessageLine.payload(in: body, line: position..<lineEnd).count
            position = lineEnd
        }
        return total
    }

    /// Where the line that is `count` lines below the one at `start` begins.
    private static func position(ofLine count: Int, in body: [UInt8], from start: Int) -> Int {
        guard count > 0 else { return start }
        return body.withUnsafeBytes { buffer in
            var position = start
            for _ in 0..<count {
                guard position < buffer.count,
                    let base = buffer.baseAddress,
                    let found = memchr(base + position, Int32(UInt8(ascii: "\n")), buffer.count - position)
                else { return buffer.count }
                position = UnsafeRawPointer(found) - base + 1
            }
            return position
        }
    }
}
