/// A name says what a thing is; the forbidden endings say nothing.
enum NamingRules {
    static let endings = ["Manager", "Helper", "Helpers", "Util", "Utils", "Utilities"]
    private static let typeWords: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]

    static func findings(_ file: SourceFile) -> [Finding] {
        var findings: [Finding] = []
        for (line, code) in file.code.enumerated() {
            for name in typeNames(in: code) where isForbidden(name) {
                findings.append(finding(file, line: line + 1, name: String(name)))
            }
        }
        for part in file.path.split(separator: "/") {
            let name = part.prefix { $0 != "." && $0 != "+" }
            if isForbidden(name) { findings.append(finding(file, line: 0, name: String(name))) }
        }
        return findings
    }

    private static func typeNames(in code: String) -> [Substring] {
        let words = code.split { !($0.isLetter || $0.isNumber || $0 == "_") }
        return zip(words, words.dropFirst()).filter { typeWords.contains($0.0) }.map(\.1)
    }

    private static func isForbidden(_ name: Substring) -> Bool {
        endings.contains { name.hasSuffix($0) }
    }

    private static func finding(_ file: SourceFile, line: Int, name: String) -> Finding {
        Finding(path: file.path, line: line, message: "`\(name)`: name it after what it is or does")
    }
}
