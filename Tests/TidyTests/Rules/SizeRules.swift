/// Files and functions that one can take in at a glance.
enum SizeRules {
    static let fileLinesMaximum = 400
    static let functionLinesMaximum = 70

    static func longFiles(_ file: SourceFile) -> [Finding] {
        guard file.code.count > fileLinesMaximum else { return [] }
        let message =
            "\(file.code.count) lines; \(fileLinesMaximum) is the most: give one of its subjects a file of its own"
        return [Finding(path: file.path, line: 0, message: message)]
    }

    static func longFunctions(_ file: SourceFile) -> [Finding] {
        var finder = FunctionFinder(lines: file.code)
        return finder.functions().filter { $0.lineCount > functionLinesMaximum }.map { function in
            let message =
                "`\(function.name)` has \(function.lineCount) lines; \(functionLinesMaximum) is the most: "
                + "take a step of it out into a function with a name"
            return Finding(path: file.path, line: function.line, message: message)
        }
    }
}
