import StreamsModel

/// What one line of a segment's body says of itself.
struct LineFacts {
    /// The offset; `nil` where there is none.
    var offset: Int64?
    /// The time of the append; `nil` where there is none.
    var timestamp: Int64?
    /// Whether there is a payload.
    var hasPayload = false

    /// Reads a line, without its line break; `nil` where it is not a JSON object.
    init?(_ body: [UInt8], _ line: Range<Int>) {
        let bytes = body.span
        var scanner = JSONScanner(
            start: line.lowerBound, end: line.upperBound, nestingMaximum: JSONScanner.nestingCeiling)
        guard scanner.accept(UInt8(ascii: "{"), in: bytes) else { return nil }
        repeat {
            guard let name = try? scanner.string(in: bytes), scanner.accept(UInt8(ascii: ":"), in: bytes),
                let value = try? scanner.value(in: bytes)
            else { return nil }
            if JSONText.equals(name, "offset", in: bytes) { offset = Self.number(body[value]) }
            if JSONText.equals(name, "timestamp", in: bytes) { timestamp = Self.number(body[value]) }
            if JSONText.equals(name, "payload", in: bytes) { hasPayload = true }
        } while scanner.accept(UInt8(ascii: ","), in: bytes)
        guard scanner.accept(UInt8(ascii: "}"), in: bytes), (try? scanner.finish(in: bytes)) != nil else { return nil }
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int64? { Int64(String(decoding: text, as: UTF8.self)) }
}

/// The lines of a segment's body, one after the other, without their line breaks.
struct LineRanges: Sequence, IteratorProtocol {
    private let body: [UInt8]
    private var position = 0

    init(_ body: [UInt8]) {
        self.body = body
    }

    mutating func next() -> Range<Int>? {
        guard position < body.count else { return nil }
        let end = body[position...].firstIndex(of: UInt8(ascii: "\n")) ?? body.count
        defer { position = end + 1 }
        return position..<end
    }
}

extension Segment {
    /// The offset of the first message appended at or after `time`; `nil` where there is none.
    func firstOffset(since time: Timestamp) -> Offset? {
        for line in LineRanges(body) {
            guard let facts = LineFacts(body, line), let timestamp = facts.timestamp else { continue }
            if timestamp >= time.milliseconds { return facts.offset.flatMap { Offset($0) } }
        }
        return nil
    }

    /// What is wrong with the segment, as the end of a sentence; `nil` where it is sound.
    ///
    /// Its parts are those of its range, and its lines those of its messages, each with its offset.
    var defect: String? {
        guard hasSoundParts else { return "has parts that are not those of its range" }
        var lines = LineRanges(body)
        var newest = Int64.min
        for run in messageRuns {
            for number in run.range.lowerBound.rawValue..<run.range.upperBound.rawValue {
                guard let line = lines.next() else { return "has no line for offset \(number)" }
                guard let facts = LineFacts(body, line) else {
                    return "has a line for offset \(number) that is no JSON"
                }
                guard facts.offset == number else {
                    return "has the offset \(facts.offset.map { String($0) } ?? "of nothing") where \(number) belongs"
                }
                guard facts.hasPayload else { return "has no payload at offset \(number)" }
                guard let timestamp = facts.timestamp else { return "has no timestamp at offset \(number)" }
                newest = max(newest, timestamp)
                if kind == .messages, timestamp != self.timestamp.milliseconds {
                    return "has another timestamp at offset \(number) than in its metadata"
                }
            }
        }
        if lines.next() != nil { return "has more lines than messages" }
        if kind == .merged, newest > timestamp.milliseconds { return "has a later timestamp than in its metadata" }
        if !body.isEmpty, body.last != UInt8(ascii: "\n") { return "does not end with a line break" }
        return nil
    }
}
