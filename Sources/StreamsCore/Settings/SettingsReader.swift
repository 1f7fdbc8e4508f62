/// Reads settings from texts, and collects all that is wrong with them for one message.
package struct SettingsReader: Sendable {
    /// A sentence for each setting that is missing or wrong: which one, and what it should be.
    package private(set) var problems: [String] = []

    /// Makes a reader.
    package init() {}

    /// Reads a setting.
    ///
    /// - Parameters:
    ///   - name: the variable, for the message.
    ///   - text: what was given; empty counts as missing.
    ///   - form: what the setting is, to go on after "is".
    ///   - fallback: the value where the text is missing; `nil` where the setting is needed.
    ///   - parse: reads the text; `nil` where it is not of the form.
    /// - Returns: The value; `nil` where it is missing or wrong, which ``problems`` then says.
    package mutating func read<Value>(
        _ name: String, _ text: String?, _ form: String, default fallback: Value?, _ parse: (String) -> Value?
    ) -> Value? {
        guard let text, !text.isEmpty else {
            if fallback == nil { problems.append("\(name) is not set: it is \(form).") }
            return fallback
        }
        let value = parse(text)
        if value == nil { problems.append("\(name) is \(form), not '\(text.prefix(80))'.") }
        return value
    }
}
