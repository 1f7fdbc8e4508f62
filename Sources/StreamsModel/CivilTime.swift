/// An instant in the calendar and on the clock of UTC, to the second.
///
/// The conversions between days and dates are those of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
package struct CivilTime: Equatable, Sendable {
    /// The year of the Gregorian calendar.
    package var year: Int
    /// The month, from 1.
    package var month: Int
    /// The day of the month, from 1.
    package var day: Int
    /// The hour, from 0 to 23.
    package var hour: Int
    /// The minute.
    package var minute: Int
    /// The second; 60 is a leap second.
    package var second: Int

    /// Makes a time of its parts, or `nil` where one is out of its range.
    package init?(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        guard (0...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// The time at an instant, which is held within the years 0 to 9999; parts of a second are dropped.
    package init(_ instant: Timestamp) {
        let bounded = min(max(instant.milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let seconds = Int(bounded.quotientRoundedDown(by: 1000))
        let days = Int(Int64(seconds).quotientRoundedDown(by: 86400))
        let ofDay = seconds - days * 86400
        let shifted = days + 719_468
        let era = Int(Int64(shifted).quotientRoundedDown(by: 146_097))
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = ofDay / 3600
        minute = ofDay % 3600 / 60
        second = ofDay % 60
    }

    /// The instant of this time.
    package var timestamp: Timestamp {
        let yearFromMarch = month <= 2 ? year - 1 : year
        let era = Int(Int64(yearFromMarch).quotientRoundedDown(by: 400))
        let yearOfEra = yearFromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Timestamp(milliseconds: Int64(((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
    }

    /// The date as `20150830`.
    package var basicDate: String {
        Self.digits(year, count: 4) + Self.digits(month, count: 2) + Self.digits(day, count: 2)
    }

    /// Date and time as `20150830T123600Z`, the form of `x-amz-date`.
    package var basicText: String {
        basicDate + "T" + Self.digits(hour, count: 2) + Self.digits(minute, count: 2) + Self.digits(second, count: 2)
            + "Z"
    }

    /// Date and time as `2015-08-30T12:36:00`: RFC 3339 without parts of a second and zone.
    package var extendedText: String {
        let date = [Self.digits(year, count: 4), Self.digits(month, count: 2), Self.digits(day, count: 2)]
        let clock = [hour, minute, second].map { Self.digits($0, count: 2) }
        return date.joined(separator: "-") + "T" + clock.joined(separator: ":")
    }

    private static func digits(_ number: Int, count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}

extension Int64 {
    /// The quotient, rounded towards negative infinity.
    package func quotientRoundedDown(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
