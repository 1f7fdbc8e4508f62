/// One line of a segment's body: see ``Segment`` for the format.
package enum MessageLine {
    /// The span of the payload in a line that ``SegmentEncoder`` wrote.
    ///
    /// The scanner walks the line as any JSON, so a payload that looks like the line's own members does not mislead it.
    /// Returns the whole line where it is not in the format (a body that someone else wrote).
    package static func payload(in body: [UInt8], line: Range<Int>) -> Range<Int> {
        let bytes = body.span
        var scanner = JSONScanner(
            start: line.lowerBound, end: line.upperBound, nestingMaximum: JSONScanner.nestingCeiling)
        guard scanner.accept(UInt8(ascii: "{"), in: bytes) else { return line }
        while let name = try? scanner.string(in: bytes), scanner.accept(UInt8(ascii: ":"), in: bytes),
            let value = try? scanner.value(in: bytes)
        {
            if JSONText.equals(name, "payload", in: bytes) { return value }
            guard scanner.accept(UInt8(ascii: ","), in: bytes) else { return line }
        }
        return line
    }
}
