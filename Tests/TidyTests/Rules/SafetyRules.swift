/// Nothing crashes on input, and no check of the compiler is switched off without a word.
enum SafetyRules {
    static let replacements: [(words: String, instead: String)] = [
        ("fatalError(", "throw an error, or use `precondition` for a mistake of our own"),
        ("try!", "let the error pass, or handle it"),
        ("as!", "use `as?` and handle `nil`"),
        ("@unchecked Sendable", "use a value or a `Mutex`"),
    ]

    static func findings(_ file: SourceFile) -> [Finding] {
        file.code.enumerated().flatMap { line, code in
            replacements.filter { code.containsWords($0.words) && !file.hasReason(line: line) }.map { rule in
                let message = "`\(rule.words)`: \(rule.instead), or say why in a comment on this line or the one above"
                return Finding(path: file.path, line: line + 1, message: message)
            }
        }
    }
}
