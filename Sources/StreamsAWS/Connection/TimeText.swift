import AWSSigning
import StreamsModel

/// Reads the times in AWS's answers.
enum TimeText {
    /// Reads the date of HTTP, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
    static func http(_ text: String) -> Timestamp? {
        let words = text.split(separator: " ")
        guard words.count == 6, words[5] == "GMT", let month = months.firstIndex(of: words[2]) else { return nil }
        let clock = words[4].split(separator: ":", omittingEmptySubsequences: false)
        guard clock.count == 3 else { return nil }
        return time(words[3], String(month + 1)[...], words[1], clock[0], clock[1], clock[2])
    }

    /// Reads the times of the credentials endpoints, `2026-11-24T10:00:00Z`, with or without parts of a second.
    static func iso8601(_ text: String) -> Timestamp? {
        guard text.hasSuffix("Z") else { return nil }
        let halves = text.dropLast().split(separator: "T", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let date = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        let clock = halves[1].split(separator: ":", omittingEmptySubsequences: false)
        guard date.count == 3, clock.count == 3 else { return nil }
        return time(date[0], date[1], date[2], clock[0], clock[1], clock[2].prefix { $0 != "." })
    }

    private static func time(
        _ year: Substring, _ month: Substring, _ day: Substring, _ hour: Substring, _ minute: Substring,
        _ second: Substring
    ) -> Timestamp? {
        guard let year = Int(year), let month = Int(month), let day = Int(day), let hour = Int(hour),
            let minute = Int(minute), let second = Int(second)
        else { return nil }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)?.timestamp
    }

    private static let months: [Substring] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
