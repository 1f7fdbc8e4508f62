/// Views of JSON strings that a ``JSONScanner`` has checked; spans include the quotes.
package enum JSONText {
    /// The string as Swift reads it, with lone surrogate escapes as U+FFFD.
    package static func decode(_ span: Range<Int>, in bytes: Span<UInt8>) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(span.count)
        forEachDecodedByte(span, in: bytes) { decoded.append($0) }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// The length of the string in bytes of UTF-8 after decoding; a lone surrogate escape counts three.
    package static func decodedByteCount(_ span: Range<Int>, in bytes: Span<UInt8>) -> Int {
        var count = 0
        forEachDecodedByte(span, in: bytes) { _ in count += 1 }
        return count
    }

    /// Whether the string, decoded, is `text`.
    package static func equals(_ span: Range<Int>, _ text: StaticString, in bytes: Span<UInt8>) -> Bool {
        var index = 0
        var equal = true
        forEachDecodedByte(span, in: bytes) { byte in
            equal = equal && index < text.utf8CodeUnitCount && text.utf8Start[index] == byte
            index += 1
        }
        return equal && index == text.utf8CodeUnitCount
    }

    private static func forEachDecodedByte(_ span: Range<Int>, in bytes: Span<UInt8>, _ body: (UInt8) -> Void) {
        var position = span.lowerBound + 1
        let end = span.upperBound - 1
        while position < end {
            guard bytes[position] == UInt8(ascii: "\\") else {
                body(bytes[position])
                position += 1
                continue
            }
            let escape = bytes[position + 1]
            guard escape == UInt8(ascii: "u") else {
                body(simpleEscape(escape))
                position += 2
                continue
            }
            let (scalar, length) = unicodeEscape(at: position, end: end, in: bytes)
            UTF8.encode(scalar)?.forEach(body)
            position += length
        }
    }

    private static func simpleEscape(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// The scalar of `\uXXXX`, or of a pair of them, and the length of the escape in bytes.
    private static func unicodeEscape(
        at position: Int, end: Int, in bytes: Span<UInt8>
    ) -> (scalar: Unicode.Scalar, length: Int) {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let unit = codeUnit(at: position, in: bytes)
        guard (0xD800..<0xDC00).contains(unit) else { return (Unicode.Scalar(unit) ?? replacement, 6) }
        guard position + 12 <= end, bytes[position + 6] == UInt8(ascii: "\\"),
            bytes[position + 7] == UInt8(ascii: "u")
        else { return (replacement, 6) }
        let low = codeUnit(at: position + 6, in: bytes)
        guard (0xDC00..<0xE000).contains(low) else { return (replacement, 6) }
        let scalar = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
        return (Unicode.Scalar(scalar) ?? replacement, 12)
    }

    private static func codeUnit(at position: Int, in bytes: Span<UInt8>) -> UInt32 {
        var unit: UInt32 = 0
        for index in 2..<6 {
            unit = unit << 4 | (JSONScanner.hexadecimalDigit(bytes[position + index]) ?? 0)
        }
        return unit
    }
}
