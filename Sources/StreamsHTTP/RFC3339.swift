import StreamsModel

/// Times as text by RFC 3339 section 5.6.
enum RFC3339 {
    /// Reads a time with a zone, such as `2026-01-31T12:00:00.5+01:00`; `nil` for anything else.
    ///
    /// Parts below a millisecond are dropped. A leap second (`:60`) counts as the second after it.
    static func parse(_ text: String) -> Timestamp? {
        var rest = text.utf8[...]
        guard let year = digits(4, of: &rest), accept("-", &rest), let month = digits(2, of: &rest, in: 1...12),
            accept("-", &rest), let day = digits(2, of: &rest, in: 1...days(of: month, in: year)),
            accept("Tt ", &rest), let hour = digits(2, of: &rest, in: 0...23), accept(":", &rest),
            let minute = digits(2, of: &rest, in: 0...59), accept(":", &rest),
            let second = digits(2, of: &rest, in: 0...60), let millisecond = fraction(of: &rest),
            let zoneMinutes = zone(of: &rest), rest.isEmpty,
            let time = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        return Timestamp(milliseconds: time.timestamp.milliseconds + Int64(millisecond - zoneMinutes * 60_000))
    }

    private static func accept(_ choices: StaticString, _ rest: inout Substring.UTF8View) -> Bool {
        guard let byte = rest.first, "\(choices)".utf8.contains(byte) else { return false }
        rest.removeFirst()
        return true
    }

    private static func digits(
        _ count: Int, of rest: inout Substring.UTF8View, in bounds: ClosedRange<Int> = 0...9999
    ) -> Int? {
        guard rest.count >= count else { return nil }
        var number = 0
        for byte in rest.prefix(count) {
            guard byte &- UInt8(ascii: "0") <= 9 else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        rest.removeFirst(count)
        return bounds.contains(number) ? number : nil
    }

    /// `.` and digits, or nothing; in milliseconds.
    private static func fraction(of rest: inout Substring.UTF8View) -> Int? {
        guard accept(".", &rest) else { return 0 }
        let digits = rest.prefix { $0 &- UInt8(ascii: "0") <= 9 }
        guard !digits.isEmpty else { return nil }
        rest.removeFirst(digits.count)
        let padded = Array(digits.prefix(3)) + Array(repeating: UInt8(ascii: "0"), count: max(0, 3 - digits.count))
        return padded.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// `Z`, or an offset from UTC; in minutes.
    private static func zone(of rest: inout Substring.UTF8View) -> Int? {
        if accept("Zz", &rest) { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard accept("+-", &rest), let hours = digits(2, of: &rest, in: 0...23), accept(":", &rest),
            let minutes = digits(2, of: &rest, in: 0...59)
        else { return nil }
        return (hours * 60 + minutes) * (isWest ? -1 : 1)
    }

    private static func days(of month: Int, in year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }
}
