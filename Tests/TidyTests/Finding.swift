/// A place that breaks a rule, with the sentence that says what to do instead.
struct Finding: Equatable, CustomStringConvertible {
    var path: String
    /// The line, from 1; 0 where the finding is about the whole file.
    var line: Int
    var message: String

    var description: String {
        line > 0 ? "\(path):\(line): \(message)" : "\(path): \(message)"
    }
}

extension [Finding] {
    /// One finding a line, for a test's failure message.
    var report: String { map(\.description).joined(separator: "\n") }
}
