package import StreamsModel

/// Writes the body of a segment: see ``Segment`` for the format.
package struct SegmentEncoder: Sendable {
    /// The body so far.
    package private(set) var body: [UInt8] = []

    private let timestampSuffix: [UInt8]
    private var next: Offset

    /// Begins a body whose first message gets `first`, all with one timestamp.
    ///
    /// `batchBytes` (the size of the messages as sent) and `count` are for reserving memory once.
    package init(first: Offset, timestamp: Timestamp, batchBytes: Int, count: Int) {
        self.next = first
        self.timestampSuffix = Array(",\"timestamp\":\(timestamp.milliseconds)".utf8)
        self.body.reserveCapacity(batchBytes + count * 80)
    }

    /// Adds the messages of a batch, in order.
    package mutating func append(_ batch: MessageBatch) {
        batch.bytes.withUnsafeBufferPointer { bytes in
            for spans in batch.messages { append(spans, of: bytes) }
        }
    }

    private mutating func append(_ spans: MessageBatch.Spans, of bytes: UnsafeBufferPointer<UInt8>) {
        append(#"{"offset":"#)
        appendDecimal(next.rawValue)
        append(#","payload":"#)
        append(spans.payload, of: bytes, compacting: spans.hasLineBreak)
        body.append(contentsOf: timestampSuffix)
        if let key = spans.key {
            append(#","key":"#)
            append(key, of: bytes, compacting: false)
        }
        if let headers = spans.headers {
            append(#","headers":"#)
            append(headers, of: bytes, compacting: spans.hasLineBreak)
        }
        append("}\n")
        next = next.advanced(by: 1)
    }

    private mutating func append(_ text: StaticString) {
        body.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ span: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>, compacting: Bool) {
        let text = UnsafeBufferPointer(rebasing: bytes[span])
        if compacting {
            appendWithoutLineBreaks(text)
        } else {
            body.append(contentsOf: text)
        }
    }

    /// Copies JSON text without its line breaks and the indentation that follows them.
    ///
    /// Strings can not hold raw line breaks, so a line break is always outside of strings, and so is the run of blanks
    /// behind it.
    private mutating func appendWithoutLineBreaks(_ text: UnsafeBufferPointer<UInt8>) {
        var isIndentation = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                isIndentation = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                if !isIndentation { body.append(byte) }
            default:
                isIndentation = false
                body.append(byte)
            }
        }
    }

    private mutating func appendDecimal(_ number: Int64) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        withUnsafeMutableBytes(of: &digits) { buffer in
            var index = buffer.count
            var rest = number
            repeat {
                index -= 1
                buffer[index] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            body.append(contentsOf: buffer[index...])
        }
    }
}
