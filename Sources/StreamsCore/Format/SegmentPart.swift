package import StreamsModel

/// What a merged segment keeps of one of the segments that it was made of: enough for a late writer to tell its own
/// messages, or that its range was given up.
package struct SegmentPart: Sendable, Equatable {
    /// What became of the part's offsets.
    package enum Content: Sendable, Equatable {
        /// Messages, by the append whose id has these upper 64 bits.
        case messages(appendIDHigh: UInt64)
        /// Nothing: the part was a filler, or several in a row.
        case filler
    }

    /// How many offsets, at least 1.
    package var offsetCount: Int
    /// What became of them.
    package var content: Content

    /// Makes a part.
    package init(offsetCount: Int, content: Content) {
        self.offsetCount = offsetCount
        self.content = content
    }

    /// Whether the part holds messages.
    package var holdsMessages: Bool { content != .filler }
}

/// The parts of a merged segment as bytes, in order of offset.
///
/// Stored (never renumber): for each part a number of 7-bit groups, the lowest first, all but the last with the upper
/// bit set: twice the number of offsets, and one more for a filler. Behind that of messages, the upper 8 bytes of the
/// append id, the most significant first.
package enum SegmentPartsCoding {
    /// Most bytes: as base64, and with the rest of what is said of an object, they stay below the 2 KB that S3 grants
    /// (Amazon S3 user guide, "Working with object metadata").
    package static let bytesMaximum = 1248
    /// Most parts.
    package static let countMaximum = 125

    /// The bytes of the parts.
    package static func bytes(of parts: [SegmentPart]) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in parts { append(part, to: &bytes) }
        return bytes
    }

    /// How many bytes the parts take.
    package static func byteCount(of parts: [SegmentPart]) -> Int { bytes(of: parts).count }

    private static func append(_ part: SegmentPart, to bytes: inout [UInt8]) {
        var rest = UInt64(part.offsetCount) << 1 | (part.holdsMessages ? 0 : 1)
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        guard case .messages(let id) = part.content else { return }
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: id >> shift)) }
    }

    /// Reads parts; `nil` where the bytes are not of the form, or hold a part without offsets.
    package static func parts(_ bytes: [UInt8]) -> [SegmentPart]? {
        var parts: [SegmentPart] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let number = number(&rest), number >> 1 >= 1 else { return nil }
            let count = Int(number >> 1)
            if number & 1 == 1 {
                parts.append(SegmentPart(offsetCount: count, content: .filler))
                continue
            }
            guard rest.count >= 8 else { return nil }
            let id = rest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(8)
            parts.append(SegmentPart(offsetCount: count, content: .messages(appendIDHigh: id)))
        }
        return parts
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        // Far more offsets than a segment holds, and far from what the type does.
        for shift in stride(from: UInt64(0), to: 56, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return number }
        }
        return nil
    }
}

extension Segment {
    /// The segment as parts: those of a merged one, or itself as the only one.
    package var asParts: [SegmentPart] {
        switch kind {
        case .merged: parts
        case .messages: [SegmentPart(offsetCount: range.offsetCount, content: .messages(appendIDHigh: appendID.high))]
        case .filler: [SegmentPart(offsetCount: range.offsetCount, content: .filler)]
        }
    }

    /// Whether the parts of a merged segment are those of its range: not too many, and none missing.
    package var hasSoundParts: Bool {
        guard kind == .merged else { return parts.isEmpty }
        var count = 0
        for part in parts {
            guard part.offsetCount >= 1, part.offsetCount <= range.offsetCount - count else { return false }
            count += part.offsetCount
        }
        return count == range.offsetCount
    }

    /// The part that holds an offset, and the part's range; `nil` outside of the segment.
    package func part(holding offset: Offset) -> (part: SegmentPart, range: Range<Offset>)? {
        guard range.contains(offset) else { return nil }
        var start = range.lowerBound
        for part in asParts {
            let end = start.advanced(by: part.offsetCount)
            if offset < end { return (part, start..<end) }
            start = end
        }
        return nil
    }

    /// What became of a claim, going by the segment that covers its last offset.
    package enum ClaimOutcome: Sendable {
        /// The append's messages stand there.
        case stored
        /// A filler does: readers gave the claim up.
        case givenUp
        /// Another append's messages do.
        case foreign
    }

    /// What became of the claim of an append, whether its segment stands alone or was merged.
    package func outcome(of claim: Range<Offset>, appendedBy id: AppendID) -> ClaimOutcome {
        guard let (part, partRange) = part(holding: claim.last) else { return .foreign }
        switch part.content {
        case .filler: return .givenUp
        case .messages(let high):
            let isOwn = kind == .merged ? high == id.high && partRange == claim : appendID == id
            return isOwn ? .stored : .foreign
        }
    }

    /// The runs of messages in the segment: fillers lie between them, and have no lines.
    package var messageRuns: [MessageRun] {
        switch kind {
        case .filler: return []
        case .messages: return [MessageRun(range: range, firstLine: 0)]
        case .merged: break
        }
        var runs: [MessageRun] = []
        var start = range.lowerBound
        var line = 0
        for part in parts {
            let end = start.advanced(by: part.offsetCount)
            defer { start = end }
            guard part.holdsMessages else { continue }
            if let last = runs.last, last.range.upperBound == start {
                runs[runs.count - 1].range = last.range.lowerBound..<end
            } else {
                runs.append(MessageRun(range: start..<end, firstLine: line))
            }
            line += part.offsetCount
        }
        return runs
    }

    /// How many messages it holds.
    package var messageCount: Int { messageRuns.reduce(0) { $0 + $1.range.offsetCount } }
}

/// Messages of a segment with none missing between them.
package struct MessageRun: Sendable, Equatable {
    /// Their offsets.
    package var range: Range<Offset>
    /// Which line of the body is the first one's.
    package var firstLine: Int

    /// The line behind the last one's.
    package var lineEnd: Int { firstLine + range.offsetCount }
}
