package import StreamsModel

/// One line of a segment's body: see ``Segment`` for the format.
package enum MessageLine {
    /// The span of the payload in a line that ``SegmentEncoder`` wrote.
    ///
    /// The scanner walks the line as any JSON, so a payload that looks like the line's own members does not mislead it.
    /// Returns the whole line where it is not in the format (a body that someone else wrote).
    package static func payload(in body: [UInt8], line: Range<Int>) -> Range<Int> {
        member("payload", in: body, line: line) ?? line
    }

    /// When the message of a line was appended; `nil` where the line is not in the format.
    package static func timestamp(in body: [UInt8], line: Range<Int>) -> Timestamp? {
        guard let span = member("timestamp", in: body, line: line) else { return nil }
        return Int64(String(decoding: body[span], as: UTF8.self)).map { Timestamp(milliseconds: $0) }
    }

    /// The span of a member's value; `nil` where there is none.
    private static func member(_ member: StaticString, in body: [UInt8], line: Range<Int>) -> Range<Int>? {
        let bytes = body.span
        var scanner = JSONScanner(
            start: line.lowerBound, end: line.upperBound, nestingMaximum: JSONScanner.nestingCeiling)
        guard scanner.accept(UInt8(ascii: "{"), in: bytes) else { return nil }
        while let name = try? scanner.string(in: bytes), scanner.accept(UInt8(ascii: ":"), in: bytes),
            let value = try? scanner.value(in: bytes)
        {
            if JSONText.equals(name, member, in: bytes) { return value }
            guard scanner.accept(UInt8(ascii: ","), in: bytes) else { return nil }
        }
        return nil
    }
}
