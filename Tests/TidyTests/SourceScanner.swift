/// Tells code from comments and strings in Swift source.
///
/// Knows line comments, nested block comments, strings of one and of many lines, raw strings, and interpolation, which
/// is code again. It does not know regular expression literals; an unpaired quote in one is forgotten at the line's end.
struct SourceScanner {
    private enum Mode {
        /// Code, with the number of open parentheses: within an interpolation the one that is not open ends it.
        case code(openParentheses: Int)
        case string(hashes: Int, isMultiline: Bool)
    }

    private let source: [UInt8]
    private var place = 0
    private var modes: [Mode] = [.code(openParentheses: 0)]

    /// The source with all but code blanked out.
    private(set) var code: [UInt8]
    /// The source with all but comments blanked out.
    private(set) var comments: [UInt8]

    init(_ source: [UInt8]) {
        self.source = source
        code = source.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
        comments = code
    }

    mutating func run() {
        while place < source.count {
            switch modes[modes.count - 1] {
            case .code(let open): scanCode(openParentheses: open)
            case .string(let hashes, let isMultiline): scanString(hashes: hashes, isMultiline: isMultiline)
            }
        }
    }

    private mutating func scanCode(openParentheses open: Int) {
        if starts(with: "//") {
            copyComment { $0.source[$0.place] == UInt8(ascii: "\n") }
        } else if starts(with: "/*") {
            copyBlockComment()
        } else if let hashes = stringStart() {
            let isMultiline = starts(with: "\"\"\"", at: place + hashes)
            copyCode(hashes + (isMultiline ? 3 : 1))
            modes.append(.string(hashes: hashes, isMultiline: isMultiline))
        } else {
            scanCodeByte(openParentheses: open)
        }
    }

    private mutating func scanCodeByte(openParentheses open: Int) {
        switch source[place] {
        case UInt8(ascii: "("):
            modes[modes.count - 1] = .code(openParentheses: open + 1)
        case UInt8(ascii: ")") where open == 0 && modes.count > 1:
            modes.removeLast()
        case UInt8(ascii: ")"):
            modes[modes.count - 1] = .code(openParentheses: max(0, open - 1))
        default:
            break
        }
        copyCode(1)
    }

    private mutating func scanString(hashes: Int, isMultiline: Bool) {
        let raw = String(repeating: "#", count: hashes)
        if starts(with: (isMultiline ? "\"\"\"" : "\"") + raw) {
            modes.removeLast()
            copyCode(hashes + (isMultiline ? 3 : 1))
        } else if starts(with: "\\" + raw + "(") {
            place += hashes + 1
            copyCode(1)
            modes.append(.code(openParentheses: 0))
        } else if starts(with: "\\" + raw) {
            place += hashes + 2
        } else if source[place] == UInt8(ascii: "\n"), !isMultiline {
            modes.removeLast()
        } else {
            place += 1
        }
    }

    private mutating func copyBlockComment() {
        var depth = 0
        repeat {
            if starts(with: "/*") { depth += 1 }
            if starts(with: "*/") { depth -= 1 }
            let isMarker = starts(with: "/*") || starts(with: "*/")
            for _ in 0..<(isMarker ? 2 : 1) where place < source.count {
                comments[place] = source[place]
                place += 1
            }
        } while depth > 0 && place < source.count
    }

    private mutating func copyComment(until isEnd: (SourceScanner) -> Bool) {
        while place < source.count, !isEnd(self) {
            comments[place] = source[place]
            place += 1
        }
    }

    private mutating func copyCode(_ count: Int) {
        for _ in 0..<count where place < source.count {
            code[place] = source[place]
            place += 1
        }
    }

    /// The number of `#` before a quote here, or `nil` where no string begins.
    private func stringStart() -> Int? {
        var end = place
        while end < source.count, source[end] == UInt8(ascii: "#") { end += 1 }
        return end < source.count && source[end] == UInt8(ascii: "\"") ? end - place : nil
    }

    private func starts(with text: String) -> Bool {
        starts(with: text, at: place)
    }

    private func starts(with text: String, at start: Int) -> Bool {
        var index = start
        for byte in text.utf8 {
            guard index < source.count, source[index] == byte else { return false }
            index += 1
        }
        return true
    }
}
