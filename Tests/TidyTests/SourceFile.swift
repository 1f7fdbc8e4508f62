/// A Swift file, taken apart into code and comments, line by line.
///
/// In `code` comments and the contents of strings are blanks, in `comments` everything else is; both keep the columns of
/// the original. That is enough to look for words and to count braces without a parser.
struct SourceFile {
    /// The path from the repository's root, such as `Sources/StreamsCore/Log/Log.swift`.
    let path: String
    /// The code of each line.
    let code: [String]
    /// The comments of each line.
    let comments: [String]

    init(path: String, text: String) {
        var scanner = SourceScanner(Array(text.utf8))
        scanner.run()
        self.path = path
        code = SourceFile.lines(scanner.code)
        comments = SourceFile.lines(scanner.comments)
    }

    /// The target that the file belongs to: the folder below `Sources/`.
    var target: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    /// Whether the line (from 0) carries `// tidy: allow <reason>`, at its end or alone on the line above.
    func allows(line: Int) -> Bool {
        if hasAllowance(comments[line]) { return true }
        guard line > 0, isBlank(code[line - 1]) else { return false }
        return hasAllowance(comments[line - 1])
    }

    /// Whether an ordinary comment, not documentation, stands on the line (from 0) or alone on the line above.
    func hasReason(line: Int) -> Bool {
        if isOrdinaryComment(comments[line]) { return true }
        guard line > 0, isBlank(code[line - 1]) else { return false }
        return isOrdinaryComment(comments[line - 1])
    }

    private func hasAllowance(_ comment: String) -> Bool {
        guard let marker = comment.firstRange(of: "// tidy: allow ") else { return false }
        return !isBlank(String(comment[marker.upperBound...]))
    }

    private func isOrdinaryComment(_ comment: String) -> Bool {
        let text = comment.drop { $0 == " " }
        return text.hasPrefix("// ") && text.count > 8
    }

    private func isBlank(_ text: String) -> Bool {
        text.allSatisfy(\.isWhitespace)
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { String(decoding: $0, as: UTF8.self) }
    }
}
