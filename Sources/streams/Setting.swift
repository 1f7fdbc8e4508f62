import ArgumentParser
import Foundation
import StreamsModel

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

/// How long something is kept, as people write it.
enum Retention: Equatable {
    case forever
    case limited(Duration)

    /// Reads `30d`, `12h`, `15m`, `30s` or `forever`.
    init?(_ text: String) {
        if text == "forever" {
            self = .forever
            return
        }
        let units = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        guard let unit = text.last.flatMap({ units[String($0)] }), let count = Int(text.dropLast()), count > 0,
            count <= 1_000_000
        else { return nil }
        self = .limited(.seconds(count * unit))
    }

    /// The duration, or `nil` for ever.
    var duration: Duration? {
        switch self {
        case .forever: nil
        case .limited(let duration): duration
        }
    }
}
