import Foundation
import HTTPTypes
import StreamsAPI
import StreamsModel
import StreamsTesting
import Testing

@testable import StreamsHTTP

@Suite("JSON documents and errors")
struct DocumentTests {
    @Test("an object is written member by member")
    func writesObjects() {
        #expect(JSONObjectWriter().finish() == Array("{}".utf8))
        var writer = JSONObjectWriter()
        writer.member("a", "x")
        writer.member("b", Int64.min)
        writer.member("c", UInt64.max)
        writer.member("d", true)
        writer.member("e", false)
        writer.member("f", [])
        writer.member("g", ["1", "\"2\""])
        writer.member("h\n", json: Array("[1, 2]".utf8))
        #expect(
            String(decoding: writer.finish(), as: UTF8.self)
                == #"{"a":"x","b":-9223372036854775808,"c":18446744073709551615,"d":true,"e":false,"f":[],"#
                + #""g":["1","\"2\""],"h\u000a":[1, 2]}"#)
    }

    @Test("any string comes out as JSON that decodes to it")
    func escapesStrings() throws {
        var texts = (0..<0x300).compactMap { Unicode.Scalar($0).map { String($0) } }
        texts += ["\u{2028}\u{2029}\u{FEFF}\u{FFFF}\u{10FFFF}", "\"\\/\u{8}\u{C}\n\r\t", "e\u{301}", "\r\n", ""]
        for text in texts {
            var writer = JSONObjectWriter()
            writer.member("k", text)
            let object = try JSONDecoder().decode([String: String].self, from: Data(writer.finish()))
            #expect(object["k"].map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test("a problem document has the members of RFC 9457, the code, and what is known")
    func writesProblems() {
        let plain = StreamsError(.notFound, "There is \"nothing\".")
        #expect(
            String(decoding: ProblemDocument.encode(plain), as: UTF8.self)
                == #"{"type":"about:blank","title":"Not Found","status":404,"detail":"There is \"nothing\".","#
                + #""code":"not_found"}"#)
        let full = StreamsError(.offsetTrimmed, "Gone.") {
            $0.parameter = "offset"
            $0.position = 0
            $0.limit = "message"
            $0.limitValue = 5
            $0.earliestOffset = Offset(7)
            $0.endOffset = Offset(.max)
            $0.retryAfter = .seconds(1)
            $0.allow = ["GET"]
        }
        #expect(
            String(decoding: ProblemDocument.encode(full), as: UTF8.self)
                == #"{"type":"about:blank","title":"Gone","status":410,"detail":"Gone.","code":"offset_trimmed","#
                + #""parameter":"offset","position":0,"limit":"message","limit_value":5,"earliest_offset":7,"#
                + #""end_offset":9223372036854775807}"#)
    }

    @Test(
        "an answer that reports an error tells when to come again, in whole seconds",
        arguments: [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (60_000, "60")])
    func tellsRetryAfter(milliseconds: Int, field: String) {
        let response = APIResponse.problem(
            StreamsError(.unavailable, "Later.") { $0.retryAfter = .milliseconds(milliseconds) })
        #expect(response.headers[.retryAfter] == field)
        #expect(response.status == .serviceUnavailable)
        #expect(APIResponse.problem(StreamsError(.notFound, "No.")).headers[.retryAfter] == nil)
    }

    @Test(
        "every code answers status, retryable and side effects",
        arguments: [
            (.invalidJSON, 400, false, true), (.invalidTopic, 400, false, true), (.invalidParameter, 400, false, true),
            (.bodyRequired, 400, false, true), (.notFound, 404, false, true), (.topicNotFound, 404, false, true),
            (.forbidden, 403, false, true), (.methodNotAllowed, 405, false, true), (.notAcceptable, 406, false, true),
            (.requestTimeout, 408, true, true),
            (.offsetTrimmed, 410, false, true), (.tooLarge, 413, false, true),
            (.unsupportedMediaType, 415, false, true),
            (.offsetBeyondEnd, 416, false, true), (.throttled, 429, true, true), (.internal, 500, true, false),
            (.unavailable, 503, true, true), (.outcomeUnknown, 503, true, false),
        ] as [(ErrorCode, Int, Bool, Bool)])
    func answersForCodes(code: ErrorCode, status: Int, isRetryable: Bool, hasNoSideEffects: Bool) {
        #expect(code.status.code == status && !code.status.reasonPhrase.isEmpty)
        #expect(code.isRetryable == isRetryable)
        #expect(code.hasCertainlyNoSideEffects == hasNoSideEffects)
    }
}
