import StreamsTesting

/// Makes JSON texts of every sort: odd numbers, escapes, blanks, duplicates, empty names.
struct RandomJSON {
    /// Where the choices come from.
    var random: SplitMix64
    /// What may stand between tokens.
    var blanks = ["", "", "", " ", "\t", "  "]

    private static let numbers = [
        "0", "-0", "1", "10", "-1.50", "1e400", "1E+2", "0.1e-7", "-0.0", "9007199254740993",
        "1234567890123456789012345678901234567890",
    ]
    private static let pieces = [
        "a", "é", "€", "😀", "\u{2028}", "\u{7F}", "\u{FEFF}", " ", "/", "{", "}", "[", "]", ":", ",", "data: ",
        #"\""#, #"\\"#, #"\/"#, #"\b"#, #"\f"#, #"\n"#, #"\r"#, #"\t"#, #"\u0000"#, #"\u00e9"#, #"\ud83d\ude00"#,
        #"\ud800"#,
        #"\udfff"#, "payload", "timestamp",
    ]

    /// A value.
    mutating func value(depth: Int = 0) -> String {
        switch random.next(below: depth < 4 ? 7 : 4) {
        case 0: return pick(["null", "true", "false"])
        case 1: return pick(Self.numbers)
        case 2, 3: return string()
        case 4, 5:
            let items = (0..<random.next(below: 4)).map { _ in blank() + value(depth: depth + 1) + blank() }
            return "[" + (items.isEmpty ? blank() : items.joined(separator: ",")) + "]"
        default:
            let items = (0..<random.next(below: 4)).map { _ in
                blank() + string() + blank() + ":" + blank() + value(depth: depth + 1) + blank()
            }
            return "{" + (items.isEmpty ? blank() : items.joined(separator: ",")) + "}"
        }
    }

    /// A string.
    mutating func string() -> String {
        "\"" + (0..<random.next(below: 5)).map { _ in pick(Self.pieces) }.joined() + "\""
    }

    /// An object of strings.
    mutating func headers() -> String {
        "{" + (0..<random.next(below: 3)).map { _ in string() + blank() + ":" + string() }.joined(separator: ",") + "}"
    }

    /// White space, or none.
    mutating func blank() -> String { pick(blanks) }

    /// One of the elements.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[random.next(below: elements.count)]
    }
}
