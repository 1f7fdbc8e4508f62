import StreamsCore
import Testing

/// One text and its name, as in JSONTestSuite: `y_` must pass, `n_` must not.
struct JSONCase: CustomTestStringConvertible, Sendable {
    var name: String
    var bytes: [UInt8]

    init(_ name: String, _ text: String) { self.init(name, bytes: Array(text.utf8)) }

    init(_ name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    var testDescription: String { name }
}

/// The span of the only value of a text, or why it is not one.
func scan(_ bytes: [UInt8], nesting: Int = 128) -> Result<Range<Int>, JSONScanner.Failure> {
    var scanner = JSONScanner(end: bytes.count, nestingMaximum: nesting)
    do throws(JSONScanner.Failure) {
        let span = try scanner.value(in: bytes.span)
        try scanner.finish(in: bytes.span)
        return .success(span)
    } catch {
        return .failure(error)
    }
}

func scan(_ text: String, nesting: Int = 128) -> Result<Range<Int>, JSONScanner.Failure> {
    scan(Array(text.utf8), nesting: nesting)
}

/// Where a text stops being JSON, or `nil` where it is JSON or too deep.
func syntaxPosition(_ bytes: [UInt8]) -> Int? {
    guard case .failure(.syntax(let position, _)) = scan(bytes) else { return nil }
    return position
}

/// A scanner together with its text, since spans can not pass through the macros of a test.
final class TextScanner {
    let text: [UInt8]
    var scanner: JSONScanner

    init(_ text: [UInt8], in window: Range<Int>? = nil, nesting: Int = 128) {
        self.text = text
        let window = window ?? 0..<text.count
        scanner = JSONScanner(start: window.lowerBound, end: window.upperBound, nestingMaximum: nesting)
    }

    func value() -> Result<Range<Int>, JSONScanner.Failure> {
        perform { (scanner, bytes) throws(JSONScanner.Failure) in try scanner.value(in: bytes) }
    }

    func string() -> Result<Range<Int>, JSONScanner.Failure> {
        perform { (scanner, bytes) throws(JSONScanner.Failure) in try scanner.string(in: bytes) }
    }

    func failureToFinish() -> JSONScanner.Failure? {
        let result: Result<Bool, JSONScanner.Failure> = perform { (scanner, bytes) throws(JSONScanner.Failure) in
            try scanner.finish(in: bytes)
            return true
        }
        guard case .failure(let failure) = result else { return nil }
        return failure
    }

    func accept(_ character: Unicode.Scalar) -> Bool {
        perform { (scanner, bytes) in scanner.accept(UInt8(ascii: character), in: bytes) } == .success(true)
    }

    func peek() -> UInt8? {
        let result = perform { (scanner, bytes) in scanner.peek(in: bytes) }
        guard case .success(let byte) = result else { return nil }
        return byte
    }

    private func perform<Value>(
        _ body: (inout JSONScanner, Span<UInt8>) throws(JSONScanner.Failure) -> Value
    ) -> Result<Value, JSONScanner.Failure> {
        let text = self.text
        var scanner = self.scanner
        defer { self.scanner = scanner }
        do throws(JSONScanner.Failure) {
            return .success(try body(&scanner, text.span))
        } catch {
            return .failure(error)
        }
    }
}

@Suite("The JSON scanner")
struct JSONScannerTests {
    @Test("takes every valid text, and finds where its value begins and ends", arguments: JSONCases.valid)
    func takes(_ example: JSONCase) {
        #expect(scan(example.bytes) == .success(0..<example.bytes.count))
        let padded = Array("\r\n\t ".utf8) + example.bytes + Array(" \n\t\r".utf8)
        #expect(scan(padded) == .success(4..<4 + example.bytes.count))
    }

    @Test("refuses every invalid text as a syntax error within it or at its end", arguments: JSONCases.invalid)
    func refuses(_ example: JSONCase) throws {
        let position = try #require(syntaxPosition(example.bytes), "accepted, or too deep")
        #expect((0...example.bytes.count).contains(position))
    }

    @Test("refuses invalid UTF-8 in strings, at the byte that is wrong", arguments: JSONCases.invalidUTF8)
    func refusesInvalidUTF8(_ example: JSONCase, at position: Int) {
        let text = Array("[\"a".utf8) + example.bytes + Array("z\"]".utf8)
        #expect(syntaxPosition(text) == 3 + position)
    }

    @Test(
        "takes the first and the last scalar of each length of UTF-8",
        arguments: [
            0x20, 0x7F, 0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xCFFF, 0xD000, 0xD7FF, 0xE000, 0xFFFD, 0xFFFF, 0x10000,
            0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF, 0x2028, 0x2029, 0xFEFF,
        ] as [UInt32])
    func takesScalar(_ number: UInt32) throws {
        let scalar = try #require(Unicode.Scalar(number))
        let text = Array("\"".utf8) + Array(String(Character(scalar)).utf8) + Array("\"".utf8)
        #expect(scan(text) == .success(0..<text.count))
    }

    @Test("refuses each control character inside of strings, and takes none but four of them outside")
    func controlCharacters() {
        for byte in UInt8(0)..<0x20 {
            #expect(syntaxPosition(Array("\"ab".utf8) + [byte] + Array("\"".utf8)) == 3, "\(byte) in a string")
            let isWhitespace = [0x09, 0x0A, 0x0D].contains(byte)
            #expect(syntaxPosition([byte] + Array("1".utf8)) == (isWhitespace ? nil : 0), "\(byte) before a value")
            #expect(syntaxPosition(Array("1".utf8) + [byte]) == (isWhitespace ? nil : 1), "\(byte) after a value")
        }
        #expect(syntaxPosition(Array("\"\u{7F}\"".utf8)) == nil)
    }

    @Test("takes exactly the eight short escapes and \\u with four hexadecimal digits")
    func escapes() {
        for letter in UInt8(0)...0xFF {
            let text = Array("\"\\".utf8) + [letter] + Array("0000\"".utf8)
            let isEscape = Array("\"\\/bfnrtu".utf8).contains(letter)
            // `"\"0000"` ends early no more than the others: the quote is escaped.
            #expect(syntaxPosition(text) == (isEscape ? nil : 2), "\\ and byte \(letter)")
        }
        for place in 0..<4 {
            for byte in UInt8(0)...0xFF {
                var digits = Array("0aF9".utf8)
                digits[place] = byte
                let text = Array("\"\\u".utf8) + digits + Array("\"".utf8)
                let isDigit = Array("0123456789abcdefABCDEF".utf8).contains(byte)
                #expect(syntaxPosition(text) == (isDigit ? nil : 3 + place), "digit \(place) is byte \(byte)")
            }
        }
    }

    @Test("names the exact byte where a text stops being JSON", arguments: JSONCases.positions)
    func positions(_ text: String, _ position: Int) {
        #expect(syntaxPosition(Array(text.utf8)) == position)
    }

    @Test("takes nesting up to the limit and calls one more too deep", arguments: [1, 2, 3, 127, 128, 1024])
    func nesting(_ limit: Int) {
        for (opening, closing) in [("[", "]"), (#"{"a":"#, "}"), (#"[{"a":"#, "}]")] {
            let depth = opening.hasPrefix("[{") ? 2 : 1
            let times = limit / depth
            let fits = String(repeating: opening, count: times) + "1" + String(repeating: closing, count: times)
            #expect(scan(fits, nesting: limit) == .success(0..<fits.utf8.count))
        }
        let brackets = String(repeating: "[", count: limit + 1) + String(repeating: "]", count: limit + 1)
        #expect(scan(brackets, nesting: limit) == .failure(.tooDeep(position: limit)))
        let objects = String(repeating: #"{"a":"#, count: limit + 1) + "1" + String(repeating: "}", count: limit + 1)
        #expect(scan(objects, nesting: limit) == .failure(.tooDeep(position: 5 * limit)))
        // Side by side is not deep.
        let wide = "[" + Array(repeating: "[]", count: 3 * limit).joined(separator: ",") + "]"
        #expect(limit == 1 || scan(wide, nesting: limit) == .success(0..<wide.utf8.count))
    }

    @Test("takes no array and no object where the limit is 0")
    func nestingZero() {
        #expect(scan("1", nesting: 0) == .success(0..<1))
        #expect(scan("[]", nesting: 0) == .failure(.tooDeep(position: 0)))
        #expect(scan(" {}", nesting: 0) == .failure(.tooDeep(position: 1)))
    }

    @Test("refuses every truncation of a rich valid text, at or before its end")
    func truncations() throws {
        let text = JSONCases.rich
        #expect(scan(text) == .success(0..<text.count))
        for length in 0..<text.count {
            let cut = Array(text[..<length])
            let position = try #require(syntaxPosition(cut), "\(length) bytes were accepted")
            // Whatever is there is the beginning of valid JSON, so only its end can be wrong.
            #expect(position == length, "cut to \(length) bytes")
            // The same text behind the scanner's end must not be looked at.
            let narrow = TextScanner(text, in: 0..<length)
            guard case .failure = narrow.value() else {
                Issue.record("looked past its end at \(length)")
                return
            }
        }
    }

    @Test("reads a value that stands between other bytes, and nothing of those")
    func window() {
        let text = Array(#"}}{"a":[1,2]}]]"#.utf8)
        let scanner = TextScanner(text, in: 2..<text.count)
        #expect(scanner.value() == .success(2..<13))
        #expect(scanner.failureToFinish() == .syntax(position: 13, reason: "expected the end of the text"))
        let narrow = TextScanner(text, in: 8..<9)
        #expect(narrow.value() == .success(8..<9))
        #expect(narrow.failureToFinish() == nil)
    }

    @Test("takes a text apart: peek, accept and string pass white space and nothing else")
    func parts() {
        let scanner = TextScanner(
            Array("  { \"ke\\u0079\" \n: 1e400 , \"b\":[ ]}".utf8))
        #expect(!scanner.accept("["))
        #expect(scanner.accept("{"))
        #expect(scanner.string() == .success(4..<14))
        let text = scanner.text
        let isKey = JSONText.equals(4..<14, "key", in: text.span)
        #expect(isKey)
        #expect(scanner.peek() == UInt8(ascii: ":"))
        #expect(scanner.accept(":"))
        #expect(scanner.value() == .success(18..<23))
        #expect(scanner.string() == .failure(.syntax(position: 24, reason: "expected a string")))
        #expect(scanner.accept(","))
        #expect(scanner.string() == .success(26..<29))
        #expect(scanner.accept(":"))
        #expect(scanner.value() == .success(30..<33))
        #expect(scanner.accept("}"))
        #expect(scanner.peek() == nil)
        #expect(scanner.failureToFinish() == nil)
    }

    @Test(
        "says whether a value holds a line break, and not whether one stands around it",
        arguments: [
            ("[1,2]", false), ("[1,\n2]", true), ("[1,\r2]", true), ("\n\n[1, 2]", false), (#"["\n"]"#, false),
            ("{\"a\"\n:1}", true), ("{}", false), ("{\n}", true), ("\r1", false),
        ])
    func lineBreaks(_ text: String, _ expected: Bool) throws {
        let bytes = Array((text + "\n").utf8)
        let scanner = TextScanner(bytes)
        _ = try scanner.value().get()
        #expect(scanner.scanner.sawLineBreak == expected)
    }
}

@Suite("JSON strings, decoded")
struct JSONTextTests {
    static let examples: [(json: String, text: String)] = [
        (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u0000""#, "\0"), (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""\ud83d\ude00""#, "😀"),
        (#""\uDBFF\uDFFF""#, "\u{10FFFF}"), (#""\ud800\udc00x""#, "\u{10000}x"), ("\"é😀\u{2028}\"", "é😀\u{2028}"),
        (#""\ud800""#, "\u{FFFD}"), (#""\udc00""#, "\u{FFFD}"), (#""\ud800x""#, "\u{FFFD}x"),
        (#""\ud800\n""#, "\u{FFFD}\n"), (#""\ud800\u0041""#, "\u{FFFD}A"), (#""\udc00\ud800""#, "\u{FFFD}\u{FFFD}"),
        (#""\ud800\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud83d\\ude00""#, "\u{FFFD}\\ude00"),
        (#""\\u0041""#, "\\u0041"), (#""\ud800\\\u0041""#, "\u{FFFD}\\A"), (#""\uFEFF""#, "\u{FEFF}"),
    ]

    @Test("read as Swift reads them, with lone surrogates replaced", arguments: examples)
    func decode(_ json: String, _ text: String) {
        let bytes = Array(("[" + json + "]").utf8)
        let span = 1..<bytes.count - 1
        // By bytes: Swift's own `==` takes canonically equivalent texts for equal.
        let decoded = JSONText.decode(span, in: bytes.span)
        #expect(Array(decoded.utf8) == Array(text.utf8))
        let count = JSONText.decodedByteCount(span, in: bytes.span)
        #expect(count == text.utf8.count)
    }

    @Test(
        "equal a text exactly when their decoded bytes do",
        arguments: [
            (#""payload""#, true), (#""p\u0061yload""#, true), (#""\u0070\u0061\u0079\u006c\u006F\u0061\u0064""#, true),
            (#""payloa""#, false), (#""payloadd""#, false), (#""Payload""#, false), (#""""#, false),
            (#""payload\u0000""#, false), (#""pa\/yload""#, false), (#""payloa\ud864""#, false),
        ])
    func equals(_ json: String, _ expected: Bool) {
        let bytes = Array(json.utf8)
        let equal = JSONText.equals(0..<bytes.count, "payload", in: bytes.span)
        #expect(equal == expected)
    }

    @Test("equal the empty text when they are empty")
    func equalsEmpty() {
        let bytes = Array(#""""#.utf8)
        let isEmpty = JSONText.equals(0..<2, "", in: bytes.span)
        let isLetter = JSONText.equals(0..<2, "a", in: bytes.span)
        #expect(isEmpty && !isLetter)
    }
}
