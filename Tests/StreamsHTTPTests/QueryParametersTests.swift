import StreamsModel
import Testing

@testable import StreamsHTTP

@Suite("Query parameters")
struct QueryParametersTests {
    @Test("are taken once each, and what nobody took is named, the first by name")
    func demandsThatAllAreTaken() throws {
        var query = try QueryParameters([("b", "1"), ("a", ""), ("c", "x")])
        #expect(query.text("c") == "x" && query.text("c") == nil && query.text("d") == nil)
        #expect(refusedParameter { try query.finish() } == "a")
        #expect(query.text("a") == "")
        #expect(refusedParameter { try query.finish() } == "b")
        #expect(try query.integer("b", in: 1...1) == 1)
        try query.finish()
        try QueryParameters([]).finish()
    }

    @Test("are refused where one is repeated, even with the same value")
    func refusesRepetition() {
        #expect(refusedParameter { _ = try QueryParameters([("a", "1"), ("b", "1"), ("a", "1")]) } == "a")
        #expect(refusedParameter { _ = try QueryParameters([("", ""), ("", "")]) } == "")
    }

    @Test("whole numbers are digits within the bounds")
    func takesIntegers() throws {
        for (text, number) in [("1", 1), ("10", 10), ("007", 7)] {
            var query = try QueryParameters([("n", text)])
            #expect(try query.integer("n", in: 1...10) == number)
        }
        for text in [
            "", "0", "11", "-1", "+1", " 1", "1 ", "1.0", "1e0", "0x1", "٣", "９", "1_0", "99999999999999999999",
        ] {
            #expect(
                refusedParameter {
                    var query = try QueryParameters([("n", text)])
                    _ = try query.integer("n", in: 1...10)
                } == "n", "\(text)")
        }
        var query = try QueryParameters([])
        #expect(try query.integer("n", in: 1...10) == nil)
    }

    @Test("seconds are digits with at most one point, up to the bound")
    func takesSeconds() throws {
        for (text, duration) in [
            ("0", Duration.zero), ("20", .seconds(20)), ("20.000", .seconds(20)), ("0.25", .milliseconds(250)),
            (".5", .milliseconds(500)), ("5.", .seconds(5)), ("0000000000000000000000001", .seconds(1)),
        ] {
            var query = try QueryParameters([("w", text)])
            #expect(try query.seconds("w", atMost: .seconds(20)) == duration, "\(text)")
        }
        for text in [
            "", ".", "..", "1.2.3", "-1", "+1", "1e1", "inf", "nan", "0x1", " 1", "20.001", "99999999999999999999",
            String(repeating: "9", count: 400), "1,5", "1s",
        ] {
            #expect(
                refusedParameter {
                    var query = try QueryParameters([("w", text)])
                    _ = try query.seconds("w", atMost: .seconds(20))
                } == "w", "\(text)")
        }
    }

    private func refusedParameter(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            let error = error as? StreamsError
            return error?.code == .invalidParameter ? error?.context.parameter : nil
        }
    }
}
