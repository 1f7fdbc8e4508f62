import Foundation
import StreamsCore
import StreamsTesting
import Testing

/// Random texts against another parser.
///
/// `FUZZ_SECONDS` sets how long, `FUZZ_SEED` repeats a run.
@Suite("The JSON scanner under random input")
struct JSONScannerFuzzTests {
    @Test("agrees with Foundation about mutated texts, and finds its spans again")
    func agreesWithFoundation() throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...UInt64.max)
        let seconds = environment["FUZZ_SECONDS"].flatMap(Double.init) ?? 2
        print("JSON scanner fuzzing: FUZZ_SEED=\(seed)")
        var fuzzer = JSONFuzzer(random: SplitMix64(seed: seed))
        let deadline = ContinuousClock.now + .seconds(seconds)
        var texts = 0
        var accepted = 0
        while ContinuousClock.now < deadline || texts < 1000 {
            let text = fuzzer.next()
            texts += 1
            if check(text, seed: seed) { accepted += 1 }
        }
        print("JSON scanner fuzzing: \(texts) texts, \(accepted) of them JSON")
        // Were all texts of one sort, the run would show nothing.
        #expect(accepted > texts / 20 && accepted < texts)
    }

    /// Compares the verdicts on one text; returns whether it is JSON.
    private func check(_ text: [UInt8], seed: UInt64) -> Bool {
        let description = Comment(
            rawValue: "seed \(seed): \(String(reflecting: String(decoding: text, as: UTF8.self)))")
        let foundation = accepts(text)
        switch scan(text) {
        case .success(let span):
            #expect(foundation || Difference.onlyWeTake(text), description)
            #expect(scan(Array(text[span])) == .success(0..<span.count), description)
            #expect(!text[..<span.lowerBound].contains { !isWhitespace($0) }, description)
            #expect(!text[span.upperBound...].contains { !isWhitespace($0) }, description)
            return true
        case .failure(.syntax(let position, _)):
            #expect(!foundation || Difference.onlyFoundationTakes(text), description)
            #expect((0...text.count).contains(position), description)
            // The verdict was reached at that byte, so what follows it can not matter.
            #expect(position == text.count || syntaxPosition(Array(text[...position])) == position, description)
            return false
        case .failure(.tooDeep(let position)):
            #expect(text[position] == UInt8(ascii: "[") || text[position] == UInt8(ascii: "{"), description)
            return false
        }
    }

    private func accepts(_ text: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
    }

    private func isWhitespace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}

/// Where the two parsers are known to differ.
private enum Difference {
    /// JSON by the grammar that Foundation refuses since it decodes: lone surrogate escapes, and numbers that no
    /// `Double` holds.
    static func onlyWeTake(_ text: [UInt8]) -> Bool {
        let string = String(decoding: text, as: UTF8.self)
        return string.contains(/\\u[dD][89a-fA-F]/) || string.contains(/[eE][+-]?[0-9]{2,}/)
            || string.contains(/[0-9]{30,}/)
    }

    /// What Foundation takes beyond RFC 8259: a byte order mark, UTF-16 and UTF-32, which it tells by the zero bytes
    /// (section 8.1), and on Linux a comma before a closing bracket.
    static func onlyFoundationTakes(_ text: [UInt8]) -> Bool {
        text.starts(with: [0xEF, 0xBB, 0xBF]) || text.starts(with: [0xFE, 0xFF]) || text.starts(with: [0xFF, 0xFE])
            || text.prefix(4).contains(0) || String(decoding: text, as: UTF8.self).contains(/,[ \t\r\n]*[\]}]/)
    }
}

/// Makes texts near to JSON: seeds from the tables, changed in a few places.
private struct JSONFuzzer {
    var random: SplitMix64

    private static let corpus = JSONCases.valid.map(\.bytes) + JSONCases.invalid.map(\.bytes) + [JSONCases.rich]
    private static let tokens: [[UInt8]] =
        [
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d\\ude00", "\\ud800", "\\n", "null", "true",
            "false", "0",
            "-", ".", "e", "E+", "1e400", "-0", " ", "\n", "\t", "\"a\":", "\"\"", "é", "😀", "\u{2028}", "\u{FEFF}",
            "\0", "\u{1F}",
        ].map { Array($0.utf8) } + [
            [0x80], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF], [0xE2, 0x82],
        ]

    init(random: SplitMix64) {
        self.random = random
    }

    mutating func next() -> [UInt8] {
        var text = random.happens(percent: 30) ? value(depth: 0) : pick(Self.corpus)
        for _ in 0..<random.next(below: 4) { mutate(&text) }
        return text
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[random.next(below: elements.count)]
    }

    private mutating func mutate(_ text: inout [UInt8]) {
        let place = random.next(below: text.count + 1)
        let end = min(text.count, place + random.next(below: 6))
        switch random.next(below: 6) {
        case 0: text.insert(contentsOf: pick(Self.tokens), at: place)
        case 1: text.removeSubrange(place..<end)
        case 2: text.insert(contentsOf: text[place..<end], at: random.next(below: text.count + 1))
        case 3 where place < text.count: text[place] = UInt8(truncatingIfNeeded: random.next())
        case 4 where place < text.count: text[place] ^= 1 << UInt8(random.next(below: 8))
        default: text.replaceSubrange(place..<end, with: pick(Self.corpus))
        }
    }

    private mutating func value(depth: Int) -> [UInt8] {
        let blank = pick(["", "", "", " ", "\n  "])
        switch random.next(below: depth < 5 ? 6 : 3) {
        case 0: return Array((blank + pick(["null", "true", "0", "-1.5e3", "12345678901234567890"])).utf8)
        case 1, 2: return Array((blank + pick(["\"\"", "\"a\"", "\"\\u0000é\"", "\"\\\\\"", "\"😀\\/\""])).utf8)
        case 3, 4:
            let items = (0..<random.next(below: 4)).map { _ in value(depth: depth + 1) }
            return Array("[".utf8) + Array(items.joined(separator: Array((blank + ",").utf8))) + Array("]".utf8)
        default:
            let items = (0..<random.next(below: 4)).map { _ in
                Array((pick(["\"a\"", "\"\"", "\"\\u0061\""]) + blank + ":").utf8) + value(depth: depth + 1)
            }
            return Array("{".utf8) + Array(items.joined(separator: Array(",".utf8))) + Array("}".utf8)
        }
    }
}
