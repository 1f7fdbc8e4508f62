/// 128 random bits, one for each batch: they tell a writer whether a stored segment is its own.
package struct AppendID: Hashable, Sendable {
    /// The upper 64 bits.
    package let high: UInt64
    /// The lower 64 bits.
    package let low: UInt64

    /// Makes an id from its bits.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Draws an id from the system's randomness: what programs hand to the log.
    package static func random() -> AppendID {
        var generator = SystemRandomNumberGenerator()  // tidy: allow the one place where ids come from
        return AppendID(using: &generator)
    }

    /// Draws an id.
    package init(using generator: inout some RandomNumberGenerator) {
        self.init(high: generator.next(), low: generator.next())
    }
}
