/// Time, randomness, ids and tasks are handed in, so that a simulation can repeat what happened.
enum DeterminismRules {
    /// The targets that a simulation runs, or that share their ways with those that it does.
    static let targets: Set<String> = ["StreamsModel", "StreamsCore", "StreamsSQLite", "StreamsHTTP"]

    /// What is forbidden there, and what to write instead.
    static let replacements: [(words: String, instead: String)] = [
        ("Date()", "take the time from the `TimeSource` given to `init`"),
        ("Date.now", "take the time from the `TimeSource` given to `init`"),
        ("ContinuousClock", "measure with `uptime()` of the `TimeSource` given to `init`"),
        ("SuspendingClock", "measure with `uptime()` of the `TimeSource` given to `init`"),
        ("Task.sleep", "wait with `sleep(for:)` of the `TimeSource` given to `init`"),
        ("Task {", "use a task group, or a `run()` that the caller starts"),
        ("Task(", "use a task group, or a `run()` that the caller starts"),
        ("Task.detached", "use a task group, or a `run()` that the caller starts"),
        ("UUID()", "draw an `AppendID` from the generator given to `init`"),
        (".random(", "draw from the generator given to `init`: `next()`, or `random(in:using:)` with an allowance"),
        ("SystemRandomNumberGenerator", "take the generator as an argument of `init`"),
        ("print(", "log through the `Logger` given to `init`"),
    ]

    static func findings(_ file: SourceFile) -> [Finding] {
        guard targets.contains(file.target) else { return [] }
        return file.code.enumerated().flatMap { line, code in
            replacements.filter { code.containsWords($0.words) && !file.allows(line: line) }.map { rule in
                let message =
                    "`\(rule.words)` in \(file.target): \(rule.instead), or say why with `// tidy: allow <reason>`"
                return Finding(path: file.path, line: line + 1, message: message)
            }
        }
    }
}
