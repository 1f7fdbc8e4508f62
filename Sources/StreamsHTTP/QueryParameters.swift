import StreamsModel

/// The query of a request: each parameter is taken by the route that knows it, and what is left over is an error.
struct QueryParameters {
    private var values: [String: String] = [:]

    /// Takes the query's pairs in.
    ///
    /// - Throws: `invalid_parameter` for one that is repeated.
    init(_ pairs: [(name: String, value: String)]) throws(StreamsError) {
        for (name, value) in pairs {
            guard values.updateValue(value, forKey: name) == nil else {
                throw .invalidParameter(name, "The parameter '\(name)' is given more than once.")
            }
        }
    }

    /// Takes a parameter as text.
    mutating func text(_ name: String) -> String? {
        values.removeValue(forKey: name)
    }

    /// Takes a parameter as a whole number within bounds.
    mutating func integer(_ name: String, in bounds: ClosedRange<Int>) throws(StreamsError) -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Self.decimal(text), bounds.contains(number) else {
            throw .invalidParameter(
                name, "'\(name)' is a whole number from \(bounds.lowerBound) to \(bounds.upperBound).")
        }
        return number
    }

    /// Takes a parameter as seconds with or without decimals.
    mutating func seconds(_ name: String, atMost maximum: Duration) throws(StreamsError) -> Duration? {
        guard let text = text(name) else { return nil }
        let isDecimal = !text.isEmpty && text.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 &- 48 <= 9 }
        guard isDecimal, let seconds = Double(text), seconds >= 0, seconds < 1e9, .seconds(seconds) <= maximum else {
            throw .invalidParameter(
                name, "'\(name)' is a number of seconds from 0 to \(maximum.wholeMilliseconds / 1000).")
        }
        return .seconds(seconds)
    }

    /// Demands that every parameter was taken.
    func finish() throws(StreamsError) {
        guard let unknown = values.keys.min() else { return }
        throw .invalidParameter(unknown, "There is no parameter '\(unknown)' here.")
    }

    /// Digits only: no sign, no blanks, nothing that another reader might take differently.
    static func decimal(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }) else { return nil }
        return Int(text)
    }
}
