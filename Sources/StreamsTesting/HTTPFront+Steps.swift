import Foundation
package import HTTPTypes
package import StreamsHTTP
package import Testing

/// The steps that checks are made of.
extension HTTPFront {
    /// Sends a request and collects the answer, which carries the fields that every answer does.
    package func send(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], body: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        try await send(
            APIRequest(method: method, target: target, headers: headers, body: Array(body.utf8)),
            sourceLocation: sourceLocation)
    }

    /// Sends a request and collects the answer, which carries the fields that every answer does.
    package func send(
        _ request: APIRequest, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        let answer = try await transport(request)
        #expect(answer.headers[.accessControlAllowOrigin] == "*", sourceLocation: sourceLocation)
        #expect(
            answer.headers[.accessControlExposeHeaders]
                == "Next-Offset, End-Offset, Idempotency-Replayed, Retry-After, ETag",
            sourceLocation: sourceLocation)
        return answer
    }

    /// Sends a GET request.
    package func get(
        _ target: String, accept: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        var headers = HTTPFields()
        headers[.accept] = accept
        return try await send(.get, target, headers: headers, sourceLocation: sourceLocation)
    }

    /// Sends a produce request.
    package func produce(
        _ body: String, to topic: String = "orders", contentType: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        var headers = HTTPFields()
        headers[.contentType] = contentType
        return try await send(
            .post, "/topics/\(topic)/produce", headers: headers, body: body, sourceLocation: sourceLocation)
    }

    /// Appends the numbers 1 to `count` as payloads, all in one batch.
    package func produceNumbers(
        _ count: Int, to topic: String = "orders", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let answer = try await produce(
            (1...count).map(String.init).joined(separator: "\n"), to: topic, contentType: "application/x-ndjson",
            sourceLocation: sourceLocation)
        try #require(answer.status == .ok, sourceLocation: sourceLocation)
    }
}

extension HTTPAnswer {
    /// The body as text with each time written as `T`, and each age as `S`.
    package var timeless: String {
        text.replacing(/"(timestamp|created_at|updated_at|expires_at|lease_expires_at)":[0-9]{13}/) {
            "\"\($0.output.1)\":T"
        }.replacing(/"lag_seconds":[0-9.]+/, with: #""lag_seconds":S"#)
    }

    /// The timestamps in the body, in order.
    package var timestamps: [Int64] {
        text.matches(of: /"timestamp":([0-9]{13})/).compactMap { Int64($0.output.1) }
    }

    /// Expects a JSON document, times aside, with a status.
    package func expect(
        _ status: HTTPResponse.Status = .ok, json: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(self.status == status, sourceLocation: sourceLocation)
        #expect(headers[.contentType] == "application/json", sourceLocation: sourceLocation)
        #expect(timeless == json, sourceLocation: sourceLocation)
    }

    /// Expects a page of messages, given as what stands between the brackets.
    package func expect(
        messages: String, next: Int, end: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expect(
            json: #"{"messages":[\#(messages)],"next_offset":\#(next),"end_offset":\#(end)}"#,
            sourceLocation: sourceLocation)
        #expect(headers[.cacheControl] == "no-store", sourceLocation: sourceLocation)
    }

    /// Expects a page of the messages that ``HTTPFront/produceNumbers(_:to:sourceLocation:)`` appended.
    package func expect(
        numbers: Range<Int>, next: Int? = nil, end: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let messages = numbers.map { #"{"offset":\#($0),"payload":\#($0),"timestamp":T}"# }.joined(separator: ",")
        expect(messages: messages, next: next ?? numbers.upperBound, end: end, sourceLocation: sourceLocation)
    }

    /// Expects a problem document with these members; `detail` is for people and may be any sentence.
    package func expect(_ problem: ExpectedProblem, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(headers[.contentType] == "application/problem+json", sourceLocation: sourceLocation)
        #expect(status.code == problem.status, "\(text)", sourceLocation: sourceLocation)
        let members = try #require(
            JSONSerialization.jsonObject(with: Data(body)) as? [String: any Sendable],
            sourceLocation: sourceLocation)
        let detail = try #require(members["detail"] as? String, sourceLocation: sourceLocation)
        #expect(detail.count > 10 && detail.last == ".", "\(detail) is a sentence", sourceLocation: sourceLocation)
        var found = members.mapValues { String(describing: $0) }
        found["detail"] = nil
        if let time = found["expires_at"], time.count == 13 { found["expires_at"] = "T" }
        var expected = problem.members
        expected["type"] = "about:blank"
        expected["title"] = ExpectedProblem.titles[problem.status]
        expected["status"] = String(problem.status)
        expected["code"] = problem.code
        #expect(found == expected, sourceLocation: sourceLocation)
    }
}

/// What a problem document says.
package struct ExpectedProblem: Sendable {
    /// The status.
    package var status: Int
    /// The code.
    package var code: String
    /// The members beyond those of RFC 9457 and `code`; numbers in decimal.
    package var members: [String: String]

    /// The titles: the reason phrases of RFC 9110 section 15.
    static let titles = [
        400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable",
        408: "Request Timeout", 409: "Conflict", 410: "Gone", 412: "Precondition Failed", 413: "Content Too Large",
        415: "Unsupported Media Type", 416: "Range Not Satisfiable", 422: "Unprocessable Content",
    ]

    /// Makes an expectation.
    package init(_ status: Int, _ code: String, _ members: [String: String] = [:]) {
        self.status = status
        self.code = code
        self.members = members
    }

    /// `400 invalid_parameter` for a parameter, header or member.
    package static func invalidParameter(_ name: String) -> ExpectedProblem {
        ExpectedProblem(400, "invalid_parameter", ["parameter": name])
    }

    /// `400 invalid_json` at a byte.
    package static func invalidJSON(at position: Int) -> ExpectedProblem {
        ExpectedProblem(400, "invalid_json", ["position": String(position)])
    }

    /// `413 too_large` for a limit.
    package static func tooLarge(_ limit: String, _ value: Int) -> ExpectedProblem {
        ExpectedProblem(413, "too_large", ["limit": limit, "limit_value": String(value)])
    }
}
