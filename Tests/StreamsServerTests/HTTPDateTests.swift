import Testing

@testable import StreamsServer

@Suite("Dates of HTTP")
struct HTTPDateTests {
    @Test(
        "have the fixed form of RFC 9110",
        arguments: [
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ])
    func haveFixedForm(second: Int, text: String) {
        #expect(HTTPDate.format(second) == text)
    }
}
