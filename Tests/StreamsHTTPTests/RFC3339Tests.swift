import Foundation
import StreamsModel
import StreamsTesting
import Testing

@testable import StreamsHTTP

@Suite("Times of RFC 3339")
struct RFC3339Tests {
    @Test(
        "are read as milliseconds since 1970",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1), ("1970-01-01T00:00:00.0009Z", 0),
            ("1970-01-01T00:00:00.1Z", 100), ("1970-01-01T00:00:00.12Z", 120), ("1970-01-01T00:00:00.123456789Z", 123),
            ("1970-01-01t00:00:01z", 1000), ("1970-01-01 00:00:01Z", 1000), ("1970-01-01T01:00:00+01:00", 0),
            ("1969-12-31T23:30:00-00:30", 0), ("1970-01-01T23:59:00+23:59", 0), ("1969-12-31T00:01:00-23:59", 0),
            ("1969-12-31T23:59:59.999Z", -1), ("1969-12-31T23:59:59Z", -1000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000), ("2017-01-01T00:00:00Z", 1_483_228_800_000),
            ("1985-04-12T23:20:50.52Z", 482_196_050_520), ("1996-12-19T16:39:57-08:00", 851_042_397_000),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
        ])
    func reads(text: String, milliseconds: Int64) {
        #expect(RFC3339.parse(text) == Timestamp(milliseconds: milliseconds))
    }

    @Test(
        "are refused where a part is missing, out of range or of another form",
        arguments: [
            "", "Z", "2026", "2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00Z", "2026-1-31T12:00:00Z",
            "2026-01-31X12:00:00Z", "2026-01-31T12:00:00ZZ", " 2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z ",
            "2026-01-31T12:00:00 Z", "2026-00-31T12:00:00Z", "2026-13-31T12:00:00Z", "2026-01-00T12:00:00Z",
            "2026-01-32T12:00:00Z", "2026-04-31T12:00:00Z", "2026-02-29T12:00:00Z", "1900-02-29T12:00:00Z",
            "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00,5Z", "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+01:60",
            "2026-01-31T12:00:00+0100", "2026-01-31T12:00:00+01", "2026-01-31T12:00:00−01:00", "+2026-01-31T12:00:00Z",
            "-026-01-31T12:00:00Z", "12026-01-31T12:00:00Z", "2026-01-3１T12:00:00Z", "20260131T120000Z", "now",
        ])
    func refuses(text: String) {
        #expect(RFC3339.parse(text) == nil)
    }

    @Test("agree with Foundation on days of eight centuries")
    func agreesWithFoundation() {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for day in stride(from: -135_140, through: 157_053, by: 13) {
            let milliseconds = Int64(day) * 86_400_000 + 45_296_789
            let text = date(day: day) + "T12:34:56.789Z"
            if RFC3339.parse(text) != Timestamp(milliseconds: milliseconds) { Issue.record("\(text)") }
            // Foundation is slow: now and then is enough.
            guard day % 37 == 0 else { continue }
            let expected = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            #expect(expected.formatted(format).hasPrefix(text.prefix(19)), "\(text)")
        }
    }

    /// The date of a day by walking years and months, unlike the code under test.
    private func date(day: Int) -> String {
        var rest = day + 135_140
        var year = 1600
        while rest >= daysOfYear(year) {
            rest -= daysOfYear(year)
            year += 1
        }
        var month = 0
        let months = [31, daysOfYear(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        while rest >= months[month] {
            rest -= months[month]
            month += 1
        }
        return "\(year)-\(twoDigits(month + 1))-\(twoDigits(rest + 1))"
    }

    private func daysOfYear(_ year: Int) -> Int {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365
    }

    private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    @Test("every truncation and every change of one byte is read or refused, never a crash")
    func survivesMutation() {
        let text = Array("2026-01-31T12:00:00.5+01:00".utf8)
        for length in 0..<text.count { _ = RFC3339.parse(String(decoding: text[..<length], as: UTF8.self)) }
        for place in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[place] = byte
                _ = RFC3339.parse(String(decoding: changed, as: UTF8.self))
            }
        }
    }
}
