/// A single pass over JSON text that checks it strictly against RFC 8259 and finds where values begin and end.
///
/// Nothing is decoded: numbers keep their spelling, objects their member order and duplicates, strings their escapes.
/// Stricter than many parsers: no byte order mark, no control characters in strings, no trailing commas, well-formed
/// UTF-8 only (RFC 3629, so no encoded surrogates and no overlong forms). Lone surrogate *escapes* (`\ud800`) are JSON
/// by RFC 8259 section 8.2 and pass.
package struct JSONScanner: Sendable {
    /// Why and where a text is not acceptable JSON.
    package enum Failure: Error, Equatable, Sendable {
        /// Not JSON; `position` is the byte, from 0, that can not stand where it does (the length of the text where it
        /// ends too early).
        case syntax(position: Int, reason: String)
        /// JSON, but arrays and objects are nested deeper than the limit allows.
        case tooDeep(position: Int)
    }

    /// The deepest nesting that any limit may allow: the scanner recurses, and a thread's stack is finite.
    package static let nestingCeiling = 1024

    /// The next byte to be looked at.
    package var position: Int
    /// Where the text ends for this scanner; it never looks further.
    package let end: Int
    /// Whether the last ``value(in:)`` held a line break (outside of strings, since they can not hold one).
    package private(set) var sawLineBreak = false

    private let nestingMaximum: Int

    /// Makes a scanner for the bytes from `start` to before `end`.
    package init(start: Int = 0, end: Int, nestingMaximum: Int) {
        precondition(nestingMaximum <= Self.nestingCeiling, "nesting limit above what the stack can take")
        self.position = start
        self.end = end
        self.nestingMaximum = nestingMaximum
    }

    /// Passes over one value and the white space before it; returns the value's span.
    package mutating func value(in bytes: Span<UInt8>) throws(Failure) -> Range<Int> {
        skipWhitespace(in: bytes)
        let start = position
        sawLineBreak = false
        try passValue(in: bytes, depth: 0)
        return start..<position
    }

    /// Passes over white space and then demands the end of the text.
    package mutating func finish(in bytes: Span<UInt8>) throws(Failure) {
        skipWhitespace(in: bytes)
        guard position == end else { throw failure("expected the end of the text") }
    }

    /// Passes over white space; returns the byte after it, or `nil` at the end.
    package mutating func peek(in bytes: Span<UInt8>) -> UInt8? {
        skipWhitespace(in: bytes)
        return position < end ? bytes[position] : nil
    }

    /// Passes over white space and the given byte, if that is next; returns whether it was.
    package mutating func accept(_ byte: UInt8, in bytes: Span<UInt8>) -> Bool {
        guard peek(in: bytes) == byte else { return false }
        position += 1
        return true
    }

    /// Passes over white space and a string; returns its span, quotes included.
    package mutating func string(in bytes: Span<UInt8>) throws(Failure) -> Range<Int> {
        guard peek(in: bytes) == UInt8(ascii: "\"") else { throw failure("expected a string") }
        let start = position
        try passString(in: bytes)
        return start..<position
    }

    /// Passes over the byte that begins an object or an array; returns whether anything stands in it.
    package mutating func begin(_ open: UInt8, until close: UInt8, in bytes: Span<UInt8>) throws(Failure) -> Bool {
        guard accept(open, in: bytes) else { throw failure("expected '\(Character(UnicodeScalar(open)))'") }
        return !accept(close, in: bytes)
    }

    /// Passes over what follows a member or an element; returns whether another one comes.
    package mutating func goesOn(until close: UInt8, in bytes: Span<UInt8>) throws(Failure) -> Bool {
        if accept(UInt8(ascii: ","), in: bytes) { return true }
        guard accept(close, in: bytes) else {
            throw failure("expected ',' or '\(Character(UnicodeScalar(close)))'")
        }
        return false
    }

    /// Passes over a member's name and the colon; returns the name's span, quotes included.
    package mutating func memberName(in bytes: Span<UInt8>) throws(Failure) -> Range<Int> {
        let name = try string(in: bytes)
        guard accept(UInt8(ascii: ":"), in: bytes) else { throw failure("expected ':'") }
        return name
    }

    /// The failure for the byte that is next.
    package func failure(_ reason: String) -> Failure {
        .syntax(position: min(position, end), reason: position < end ? reason : "unexpected end: " + reason)
    }
}

extension JSONScanner {
    private mutating func skipWhitespace(in bytes: Span<UInt8>) {
        while position < end {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"):
                position += 1
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                sawLineBreak = true
                position += 1
            default:
                return
            }
        }
    }

    private mutating func passValue(in bytes: Span<UInt8>, depth: Int) throws(Failure) {
        guard position < end else { throw failure("expected a value") }
        switch bytes[position] {
        case UInt8(ascii: "\""): try passString(in: bytes)
        case UInt8(ascii: "{"): try passObject(in: bytes, depth: depth + 1)
        case UInt8(ascii: "["): try passArray(in: bytes, depth: depth + 1)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try passNumber(in: bytes)
        case UInt8(ascii: "t"): try passLiteral("true", in: bytes)
        case UInt8(ascii: "f"): try passLiteral("false", in: bytes)
        case UInt8(ascii: "n"): try passLiteral("null", in: bytes)
        default: throw failure("expected a value")
        }
    }

    private mutating func passObject(in bytes: Span<UInt8>, depth: Int) throws(Failure) {
        guard depth <= nestingMaximum else { throw .tooDeep(position: position) }
        position += 1
        if accept(UInt8(ascii: "}"), in: bytes) { return }
        while true {
            guard peek(in: bytes) == UInt8(ascii: "\"") else { throw failure("expected a member name") }
            try passString(in: bytes)
            guard accept(UInt8(ascii: ":"), in: bytes) else { throw failure("expected ':'") }
            skipWhitespace(in: bytes)
            try passValue(in: bytes, depth: depth)
            if accept(UInt8(ascii: ","), in: bytes) { continue }
            guard accept(UInt8(ascii: "}"), in: bytes) else { throw failure("expected ',' or '}'") }
            return
        }
    }

    private mutating func passArray(in bytes: Span<UInt8>, depth: Int) throws(Failure) {
        guard depth <= nestingMaximum else { throw .tooDeep(position: position) }
        position += 1
        if accept(UInt8(ascii: "]"), in: bytes) { return }
        while true {
            skipWhitespace(in: bytes)
            try passValue(in: bytes, depth: depth)
            if accept(UInt8(ascii: ","), in: bytes) { continue }
            guard accept(UInt8(ascii: "]"), in: bytes) else { throw failure("expected ',' or ']'") }
            return
        }
    }

    private mutating func passLiteral(_ literal: StaticString, in bytes: Span<UInt8>) throws(Failure) {
        for index in 0..<literal.utf8CodeUnitCount {
            guard position < end, bytes[position] == literal.utf8Start[index] else {
                throw failure("expected '\(literal)'")
            }
            position += 1
        }
    }

    /// A number: `-? (0 | [1-9][0-9]*) ('.' [0-9]+)? ([eE] [+-]? [0-9]+)?`.
    private mutating func passNumber(in bytes: Span<UInt8>) throws(Failure) {
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < end, bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try passDigits(in: bytes)
        }
        if position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try passDigits(in: bytes)
        }
        if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try passDigits(in: bytes)
        }
    }

    private mutating func passDigits(in bytes: Span<UInt8>) throws(Failure) {
        let start = position
        while position < end, bytes[position] &- UInt8(ascii: "0") <= 9 { position += 1 }
        guard position > start else { throw failure("expected a digit") }
    }
}

extension JSONScanner {
    private mutating func passString(in bytes: Span<UInt8>) throws(Failure) {
        position += 1
        while position < end {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"):
                try passEscape(in: bytes)
            case 0x20..<0x80:
                position += 1
            case 0x80...:
                try passMultibyteScalar(in: bytes)
            default:
                throw failure("control characters in strings must be escaped")
            }
        }
        throw failure("expected '\"'")
    }

    private mutating func passEscape(in bytes: Span<UInt8>) throws(Failure) {
        position += 1
        guard position < end else { throw failure("expected an escape") }
        switch bytes[position] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            for _ in 0..<4 {
                guard position < end, Self.hexadecimalDigit(bytes[position]) != nil else {
                    throw failure("expected four hexadecimal digits")
                }
                position += 1
            }
        default:
            throw failure("unknown escape")
        }
    }

    /// The number that a hexadecimal digit stands for, or `nil`.
    package static func hexadecimalDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// One scalar of two to four bytes, by the table of well-formed sequences in RFC 3629 section 4.
    private mutating func passMultibyteScalar(in bytes: Span<UInt8>) throws(Failure) {
        let lead = bytes[position]
        let length: Int
        let second: ClosedRange<UInt8>
        switch lead {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw failure("not UTF-8")
        }
        for index in 1..<length {
            let allowed = index == 1 ? second : 0x80...0xBF
            guard position + index < end else {
                position = end
                throw failure("UTF-8 cut off")
            }
            guard allowed.contains(bytes[position + index]) else {
                position += index
                throw failure("not UTF-8")
            }
        }
        position += length
    }
}
