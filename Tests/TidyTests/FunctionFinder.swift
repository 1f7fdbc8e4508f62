/// Finds functions, initializers, subscripts and computed properties, and counts their lines by their braces.
struct FunctionFinder {
    struct Function: Equatable {
        var name: String
        /// The line of its keyword, from 1.
        var line: Int
        /// From the keyword to the closing brace, both included.
        var lineCount: Int
    }

    private static let declarationWords: Set<String> = [
        "func", "var", "let", "init", "deinit", "subscript", "static", "case", "struct", "class", "enum", "extension",
        "protocol", "actor", "public", "package", "internal", "private", "fileprivate", "mutating", "nonmutating",
        "associatedtype", "typealias", "import", "return",
    ]

    private let code: [UInt8]
    private var place = 0

    /// Looks through code without comments and strings.
    init(lines: [String]) {
        code = Array(lines.joined(separator: "\n").utf8)
    }

    mutating func functions() -> [Function] {
        var found: [Function] = []
        place = 0
        while place < code.count {
            let start = place
            guard let word = readWord() else {
                place += 1
                continue
            }
            guard let name = name(of: word, at: start), let body = bodyStart(isVariable: word == "var") else {
                continue
            }
            let first = line(at: start)
            found.append(Function(name: name, line: first, lineCount: line(at: blockEnd(from: body)) - first + 1))
        }
        return found
    }

    /// The name of the function that `word` declares, or `nil` where the word is not a declaration of one.
    private func name(of word: String, at start: Int) -> String? {
        let next = nextByte(from: place)
        switch word {
        case "func", "var": return nameAhead()
        case "deinit": return next == UInt8(ascii: "{") ? word : nil
        case "init", "subscript":
            // `.init(…)` is a call.
            let isCall = start > 0 && code[start - 1] == UInt8(ascii: ".")
            return !isCall && next.map { "(<?!".utf8.contains($0) } == true ? word : nil
        default: return nil
        }
    }

    private mutating func readWord() -> String? {
        let start = place
        while place < code.count, isIdentifierByte(code[place]) { place += 1 }
        return place > start ? String(decoding: code[start..<place], as: UTF8.self) : nil
    }

    private func nameAhead() -> String {
        let text = code[place...].drop { $0 == UInt8(ascii: " ") }
        if text.first == UInt8(ascii: "`") {
            return String(decoding: text.dropFirst().prefix { $0 != UInt8(ascii: "`") }, as: UTF8.self)
        }
        return String(decoding: text.prefix { !" (<:\n{=".utf8.contains($0) }, as: UTF8.self)
    }

    private func nextByte(from start: Int) -> UInt8? {
        code[start...].first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
    }

    /// The place of the brace that opens the declaration's body, or `nil` where it has none.
    private func bodyStart(isVariable: Bool) -> Int? {
        var scan = self
        var depth = 0
        while scan.place < code.count {
            let byte = code[scan.place]
            if depth == 0, isIdentifierByte(byte) {
                if let word = scan.readWord(), FunctionFinder.declarationWords.contains(word) { return nil }
                continue
            }
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "{") where depth == 0: return scan.place
            case UInt8(ascii: "}") where depth == 0: return nil
            case UInt8(ascii: "="), UInt8(ascii: "\n"): if isVariable, depth == 0 { return nil }
            default: break
            }
            if depth < 0 { return nil }
            scan.place += 1
        }
        return nil
    }

    private func blockEnd(from start: Int) -> Int {
        var depth = 0
        for index in start..<code.count {
            if code[index] == UInt8(ascii: "{") { depth += 1 }
            if code[index] == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return index }
        }
        return code.count - 1
    }

    private func line(at index: Int) -> Int {
        code[..<index].count { $0 == UInt8(ascii: "\n") } + 1
    }
}
