import HTTPTypes
import Foundation
import Testing

/// Topics: list, info, create.
extension HTTPConformance {
    static var topicChecks: [Check] {
        [
            Check("PUT creates a topic, empty: 201, then 200 with the topic as it stands") { front in
                let created = try await front.send(.put, "/topics/orders")
                let empty =
                    #"{"topic":"orders","earliest_offset":1,"end_offset":1,"created_at":T,"updated_at":T,"fenced":false}"#
                created.expect(.created, json: empty)
                try await front.send(.put, "/topics/orders").expect(json: empty)
                try await front.produceNumbers(2)
                let standing = empty.replacing(#""end_offset":1"#, with: #""end_offset":3"#)
                try await front.send(.put, "/topics/orders").expect(json: standing)
                try await front.get("/topics/orders").expect(json: standing)
                try await front.get("/topics/orders/consume").expect(numbers: 1..<3, end: 3)
            },
            Check("a topic tells when it was created and last appended to") { front in
                let before = Date().timeIntervalSince1970 * 1000
                try await front.produceNumbers(1)
                let stamp = try #require(await front.get("/topics/orders/consume").timestamps.first)
                let info = try await front.get("/topics/orders").text
                let created = try #require(info.firstMatch(of: /"created_at":([0-9]+)/)).output.1
                let updated = try #require(info.firstMatch(of: /"updated_at":([0-9]+)/)).output.1
                #expect(Int64(updated) == stamp)
                #expect(try #require(Int64(created)) <= stamp)
                // Milliseconds, not seconds or microseconds; the front's clock may be another machine's.
                #expect(abs(Double(stamp) - before) < 3_600_000)
            },
            Check("a topic that does not exist is 404") { front in
                try await front.get("/topics/orders").expect(ExpectedProblem(404, "topic_not_found"))
            },
            Check("names may hold all the letters that are allowed, up to 249 of them") { front in
                let longest = String(repeating: "x", count: 249)
                for name in ["a", "A-Z.a_z-09", "...", "-", "_", "v1", "topics", "consume", longest] {
                    let topic = try await front.send(.put, "/topics/\(name)")
                    #expect(topic.status == .created, "\(name)")
                    try await front.produce(#"{"payload":1}"#, to: name)
                        .expect(json: #"{"topic":"\#(name)","offset":1}"#)
                }
            },
        ]
    }

    static var listChecks: [Check] {
        [
            Check("the list has topics in the order of their bytes, and the cursor goes on after a page") { front in
                try await front.get("/topics").expect(json: #"{"topics":[],"next_cursor":null}"#)
                for name in ["b", "a", "B", "a.b", "ab", "a-b", "a_b"] {
                    _ = try await front.send(.put, "/topics/\(name)")
                }
                let sorted = ["B", "a", "a-b", "a.b", "a_b", "ab", "b"]
                try await front.get("/topics").expect(json: list(sorted))
                try await front.get("/topics?limit=7").expect(json: list(sorted))
                try await front.get("/topics?prefix=&cursor=&limit=1000").expect(json: list(sorted))
                try await front.get("/topics?limit=3").expect(json: list(["B", "a", "a-b"], next: "a-b"))
                try await front.get("/topics?limit=3&cursor=a-b").expect(json: list(["a.b", "a_b", "ab"], next: "ab"))
                try await front.get("/topics?limit=3&cursor=ab").expect(json: list(["b"]))
                try await front.get("/topics?cursor=b").expect(json: list([]))
                try await front.get("/topics?cursor=aa").expect(json: list(["ab", "b"]))
            },
            Check("the list can be narrowed to a prefix") { front in
                for name in ["b", "a", "B", "a.b", "ab", ".x", "..x"] {
                    _ = try await front.send(.put, "/topics/\(name)")
                }
                try await front.get("/topics?prefix=a").expect(json: list(["a", "a.b", "ab"]))
                try await front.get("/topics?prefix=a&limit=2").expect(json: list(["a", "a.b"], next: "a.b"))
                try await front.get("/topics?prefix=a&limit=2&cursor=a.b").expect(json: list(["ab"]))
                try await front.get("/topics?prefix=a&cursor=B").expect(json: list(["a", "a.b", "ab"]))
                try await front.get("/topics?prefix=a&cursor=b").expect(json: list([]))
                try await front.get("/topics?prefix=.").expect(json: list(["..x", ".x"]))
                try await front.get("/topics?prefix=..").expect(json: list(["..x"]))
                try await front.get("/topics?prefix=none").expect(json: list([]))
            },
            Check("the list gives a hundred topics unless told otherwise") { front in
                for number in 100...200 { _ = try await front.send(.put, "/topics/t\(number)") }
                let names = (100...200).map { "t\($0)" }
                try await front.get("/topics").expect(json: list(Array(names.dropLast()), next: "t199"))
                try await front.get("/topics?limit=101").expect(json: list(names))
            },
        ]
    }

    private static func list(_ names: [String], next: String? = nil) -> String {
        let items = names.map { #"{"topic":"\#($0)"}"# }.joined(separator: ",")
        return #"{"topics":[\#(items)],"next_cursor":\#(next.map { "\"\($0)\"" } ?? "null")}"#
    }
}
