import HTTPTypes
import Foundation
import Testing

/// Topics: trim, delete, what is kept of them, branches.
extension HTTPConformance {
    static var topicChangeChecks: [Check] { trimChecks + deleteChecks + settingsChecks + branchChecks }

    private static var trimChecks: [Check] {
        [
            Check("trim drops what lies below an offset, and never goes back") { front in
                try await front.produceNumbers(5)
                try await front.trim(3).expect(json: #"{"earliest_offset":3}"#)
                let info = try await front.get("/topics/orders")
                #expect(info.text.contains(#""earliest_offset":3,"end_offset":6"#))
                try await front.get("/topics/orders/consume").expect(numbers: 3..<6, end: 6)
                try await front.get("/topics/orders/consume?offset=2").expect(
                    ExpectedProblem(410, "offset_trimmed", ["earliest_offset": "3", "end_offset": "6"]))
                try await front.get("/topics/orders/consume?offset=2&on_trimmed=earliest").expect(
                    numbers: 3..<6, end: 6)
                for before in [1, 2, 3] { try await front.trim(before).expect(json: #"{"earliest_offset":3}"#) }
                try await front.trim(6).expect(json: #"{"earliest_offset":6}"#)
                try await front.get("/topics/orders/consume").expect(messages: "", next: 6, end: 6)
                try await front.produce(#"{"payload":6}"#).expect(json: #"{"topic":"orders","offset":6}"#)
                try await front.get("/topics/orders/consume").expect(numbers: 6..<7, end: 7)
            },
            Check("trim beyond the end, or of a topic that is not there, is refused") { front in
                try await front.trim(1).expect(ExpectedProblem(404, "topic_not_found"))
                try await front.produceNumbers(2)
                try await front.trim(4).expect(
                    ExpectedProblem(400, "invalid_parameter", ["parameter": "before", "end_offset": "3"]))
                for body in [#"{"before":0}"#, #"{"before":"1"}"#, #"{"before":1.5}"#, #"{"before":null}"#, "{}"] {
                    try await front.send(.post, "/topics/orders/trim", body: body).expect(.invalidParameter("before"))
                }
                try await front.send(.post, "/topics/orders/trim", body: #"{"before":1,"x":1}"#).expect(
                    .invalidParameter("x"))
                try await front.send(.post, "/topics/orders/trim").expect(ExpectedProblem(400, "body_required"))
                try await front.send(.post, "/topics/orders/trim", body: "{").expect(.invalidJSON(at: 1))
            },
        ]
    }

    private static var deleteChecks: [Check] {
        [
            Check("a deleted topic is not there, and what is made again goes on above its offsets") { front in
                try await front.send(.delete, "/topics/orders").expect(ExpectedProblem(404, "topic_not_found"))
                try await front.produceNumbers(3)
                let deleted = try await front.send(.delete, "/topics/orders")
                #expect(deleted.status == .noContent && deleted.body.isEmpty)
                try await front.get("/topics/orders").expect(ExpectedProblem(404, "topic_not_found"))
                try await front.send(.delete, "/topics/orders").expect(ExpectedProblem(404, "topic_not_found"))
                try await front.trim(1).expect(ExpectedProblem(404, "topic_not_found"))
                try await front.get("/topics").expect(json: #"{"topics":[],"next_cursor":null}"#)
                try await front.get("/topics/orders/consume").expect(messages: "", next: 4, end: 4)
                try await front.produce(#"{"payload":4}"#).expect(json: #"{"topic":"orders","offset":4}"#)
                try await front.get("/topics/orders/consume").expect(numbers: 4..<5, end: 5)
                try await front.get("/topics/orders/consume?offset=3").expect(
                    ExpectedProblem(410, "offset_trimmed", ["earliest_offset": "4", "end_offset": "5"]))
                _ = try await front.send(.delete, "/topics/orders")
                try await front.send(.put, "/topics/orders").expect(
                    .created,
                    json:
                        #"{"topic":"orders","earliest_offset":5,"end_offset":5,"created_at":T,"updated_at":T,"fenced":false}"#
                )
            }
        ]
    }

    private static var settingsChecks: [Check] {
        [
            Check("PUT sets what is kept of a topic, and only what it names") { front in
                func topic(_ settings: String) -> String {
                    #"{"topic":"orders","earliest_offset":1,"end_offset":1,"created_at":T,"updated_at":T,"#
                        + settings + #""fenced":false}"#
                }
                try await front.put(#"{"retention_ms":60000}"#).expect(
                    .created, json: topic(#""retention_ms":60000,"#))
                try await front.put(#"{"retention_bytes":1000000000000000}"#).expect(
                    json: topic(#""retention_ms":60000,"retention_bytes":1000000000000000,"#))
                try await front.put("").expect(
                    json: topic(#""retention_ms":60000,"retention_bytes":1000000000000000,"#))
                try await front.put("{}").expect(
                    json: topic(#""retention_ms":60000,"retention_bytes":1000000000000000,"#))
                try await front.put(#"{"retention_ms":null,"retention_bytes":5}"#).expect(
                    json: topic(#""retention_bytes":5,"#))
                try await front.get("/topics/orders").expect(json: topic(#""retention_bytes":5,"#))
                _ = try await front.send(.delete, "/topics/orders")
                try await front.put("").expect(.created, json: topic(""))
            },
            Check("a setting that is out of bounds is refused, and nothing is created") { front in
                for value in ["0", "-1", "1000000000000001", "1.5", #""7d""#, "true", "9223372036854775808", "1e3"] {
                    for name in ["retention_ms", "retention_bytes"] {
                        try await front.put(#"{"\#(name)":\#(value)}"#).expect(.invalidParameter(name))
                    }
                }
                try await front.put(#"{"retention":1}"#).expect(.invalidParameter("retention"))
                try await front.get("/topics/orders").expect(ExpectedProblem(404, "topic_not_found"))
            },
        ]
    }

    private static var branchChecks: [Check] {
        [
            Check("a branch reads as its parent below the fork, and goes its own way from there on") { front in
                try await front.produceNumbers(4)
                let document =
                    #"{"topic":"fork","earliest_offset":1,"end_offset":3,"created_at":T,"updated_at":T,"#
                    + #""branch_of":{"topic":"orders","offset":3},"fenced":false}"#
                try await front.branch(#"{"topic":"fork","offset":3}"#).expect(.created, json: document)
                try await front.get("/topics/fork").expect(json: document)
                try await front.get("/topics").expect(
                    json: #"{"topics":[{"topic":"fork"},{"topic":"orders"}],"next_cursor":null}"#)
                try await front.get("/topics/fork/consume").expect(numbers: 1..<3, end: 3)
                try await front.produce(#"{"payload":"own"}"#, to: "fork").expect(json: #"{"topic":"fork","offset":3}"#)
                try await front.get("/topics/fork/consume?offset=2").expect(
                    messages:
                        #"{"offset":2,"payload":2,"timestamp":T},{"offset":3,"payload":"own","timestamp":T}"#,
                    next: 4, end: 4)
                try await front.get("/topics/orders/consume").expect(numbers: 1..<5, end: 5)
                let latest = try await front.branch(#"{"topic":"late"}"#)
                #expect(latest.text.contains(#""branch_of":{"topic":"orders","offset":5}"#))
                try await front.get("/topics/late/consume").expect(numbers: 1..<5, end: 5)
                try await front.trim(2).expect(json: #"{"earliest_offset":2}"#)
                try await front.get("/topics/fork/consume?offset=1").expect(
                    ExpectedProblem(410, "offset_trimmed", ["earliest_offset": "2", "end_offset": "4"]))
            },
            Check("a branch that can not be is refused, and says why") { front in
                try await front.branch(#"{"topic":"fork"}"#).expect(ExpectedProblem(404, "topic_not_found"))
                try await front.produceNumbers(4)
                try await front.trim(2).expect(json: #"{"earliest_offset":2}"#)
                try await front.branch(#"{"topic":"fork","offset":6}"#).expect(
                    ExpectedProblem(400, "invalid_parameter", ["parameter": "offset", "end_offset": "5"]))
                try await front.branch(#"{"topic":"fork","offset":1}"#).expect(
                    ExpectedProblem(410, "offset_trimmed", ["earliest_offset": "2", "end_offset": "5"]))
                try await front.branch(#"{"topic":"orders"}"#).expect(ExpectedProblem(409, "topic_exists"))
                try await front.branch(#"{"topic":"a b"}"#).expect(ExpectedProblem(400, "invalid_topic"))
                try await front.branch(#"{"offset":1}"#).expect(.invalidParameter("topic"))
                try await front.branch(#"{"topic":"fork","offset":0}"#).expect(.invalidParameter("offset"))
                try await front.branch(#"{"topic":"fork","offset":"earliest"}"#).expect(.invalidParameter("offset"))
                try await front.get("/topics/fork").expect(ExpectedProblem(404, "topic_not_found"))
            },
        ]
    }
}

extension HTTPFront {
    fileprivate func trim(_ before: Int) async throws -> HTTPAnswer {
        try await send(.post, "/topics/orders/trim", body: #"{"before":\#(before)}"#)
    }

    fileprivate func put(_ body: String) async throws -> HTTPAnswer {
        try await send(.put, "/topics/orders", body: body)
    }

    fileprivate func branch(_ body: String) async throws -> HTTPAnswer {
        try await send(.post, "/topics/orders/branches", body: body)
    }
}
