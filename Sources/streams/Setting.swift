import ArgumentParser
import Foundation

/// A setting that comes from a flag, else from the environment, else from a default.
struct Setting<Value> {
    /// The flag, for messages.
    let flag: String
    /// The variable of the environment.
    let variable: String
    /// What it looks like, for messages.
    let form: String
    /// Reads the text; `nil` where it is not of the form.
    let parse: (String) -> Value?

    /// The value that is in force.
    ///
    /// - Throws: `ValidationError` naming the flag or the variable whose text is not of the form.
    func value(flag text: String?, default fallback: Value) throws -> Value {
        if let text { return try read(text, from: flag) }
        guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else { return fallback }
        return try read(text, from: variable)
    }

    private func read(_ text: String, from source: String) throws -> Value {
        guard let value = parse(text) else { throw ValidationError("\(source) is \(form), not '\(text)'.") }
        return value
    }
}

extension Setting where Value == String {
    /// A setting whose text is taken as it is.
    init(flag: String, variable: String) {
        self.init(flag: flag, variable: variable, form: "text") { $0 }
    }
}
