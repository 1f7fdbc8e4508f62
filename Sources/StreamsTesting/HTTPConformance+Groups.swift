import HTTPTypes
import StreamsModel
import Testing

/// Consumer groups.
extension HTTPConformance {
    static var groupChecks: [Check] { groupLifeChecks + leaseChecks + groupListChecks + groupRefusalChecks }

    private static let path = "/topics/orders/groups/workers"

    private static var groupLifeChecks: [Check] {
        [
            Check("PUT creates a group at the earliest message: 201, then 200 with the group as it stands") { front in
                try await front.produceNumbers(3)
                let group = HTTPConformance.group(committed: 1, end: 4)
                try await front.send(.put, path).expect(.created, json: group)
                try await front.send(.put, path, body: #"{"start":"latest"}"#).expect(json: group)
                try await front.get(path).expect(json: group)
            },
            Check("PUT creates a group at the end, or at an offset") { front in
                try await front.produceNumbers(3)
                for (index, (start, committed)) in [(#""latest""#, 4), ("2", 2), ("4", 4), (#""earliest""#, 1)]
                    .enumerated()
                {
                    try await front.send(.put, "/topics/orders/groups/g\(index)", body: #"{"start":\#(start)}"#)
                        .expect(.created, json: group("g\(index)", committed: committed, end: 4))
                }
            },
            Check("receive creates the group, ack commits, and receive goes on after what was handed out") { front in
                try await front.produceNumbers(3)
                try await front.receive("a", limit: 2).expect(received: 1..<3, generation: 1, next: 3)
                try await front.get(path).expect(json: group(committed: 1, end: 4, lease: ("a", 1)))
                try await front.receive("a", limit: 2).expect(received: 3..<4, generation: 1, next: 4)
                try await front.ack("a", 1, 2).expect(json: state(committed: 2, lease: ("a", 1)))
                try await front.ack("a", 1, 4).expect(json: state(committed: 4, lease: ("a", 1)))
                try await front.ack("a", 1, 4).expect(json: state(committed: 4, lease: ("a", 1)))
                try await front.receive("a").expect(received: 4..<4, generation: 1, next: 4)
                try await front.get(path).expect(json: group(committed: 4, end: 4, lease: ("a", 1)))
            },
            Check("a receive that waits answers as soon as there is a message") { front in
                _ = try await front.send(.put, "/topics/orders")
                async let waiting = front.receive("a", wait: "20")
                while try await front.get(path).status != .ok { await Task.yield() }
                try await front.produceNumbers(2)
                let answer = try await waiting
                #expect(answer.text.hasPrefix(#"{"generation":1,"messages":[{"offset":1,"payload":1,"#))
                try await front.receive("a", wait: "0.01").expect(received: 3..<3, generation: 1, next: 3)
            },
            Check("DELETE deletes a group: 204, and a new one begins anew") { front in
                try await front.produceNumbers(2)
                try await front.receive("a").expect(received: 1..<3, generation: 1, next: 3)
                _ = try await front.ack("a", 1, 3)
                let answer = try await front.send(.delete, path)
                #expect(answer.status == .noContent && answer.body.isEmpty)
                try await front.get(path).expect(ExpectedProblem(404, "group_not_found"))
                try await front.get("/topics/orders/groups").expect(json: #"{"groups":[]}"#)
                try await front.ack("a", 1, 3).expect(ExpectedProblem(404, "group_not_found"))
                try await front.send(.put, path).expect(.created, json: group(committed: 1, end: 3))
            },
        ]
    }

    private static var leaseChecks: [Check] {
        let held = ExpectedProblem(409, "lease_held", ["expires_at": "T"])
        let lost = ExpectedProblem(409, "lease_lost")
        return [
            Check("one consumer at a time has the lease, until it gives it up") { front in
                try await front.produceNumbers(3)
                try await front.receive("a").expect(received: 1..<4, generation: 1, next: 4)
                _ = try await front.ack("a", 1, 2)
                try await front.receive("b").expect(held)
                try await front.release("a", 1).expect(json: state(committed: 2))
                try await front.release("a", 1).expect(json: state(committed: 2))
                try await front.receive("b").expect(received: 2..<4, generation: 2, next: 4)
                try await front.ack("a", 1, 4).expect(lost)
                try await front.release("a", 1).expect(lost)
                try await front.get(path).expect(json: group(committed: 2, end: 4, lease: ("b", 2)))
            },
            Check("a consumer that names another generation than its lease's begins again in a new one") { front in
                try await front.produceNumbers(2)
                try await front.receive("a", known: 0).expect(received: 1..<3, generation: 1, next: 3)
                try await front.receive("a", known: 1).expect(received: 3..<3, generation: 1, next: 3)
                try await front.receive("a", known: 0).expect(received: 1..<3, generation: 2, next: 3)
                try await front.ack("a", 1, 3).expect(lost)
                try await front.ack("a", 2, 3).expect(json: state(committed: 3, lease: ("a", 2)))
            },
            Check("a lease ends by itself, and what was not committed comes again") { front in
                try await front.produceNumbers(3)
                try await front.receive("a", lease: 1).expect(received: 1..<4, generation: 1, next: 4)
                var answer = try await front.receive("b")
                while answer.status == .conflict {
                    try answer.expect(held)
                    answer = try await front.receive("b")
                }
                answer.expect(received: 1..<4, generation: 2, next: 4)
                try await front.ack("a", 1, 4).expect(lost)
            },
            Check("seek moves the position anywhere and ends the lease") { front in
                try await front.produceNumbers(3)
                try await front.receive("a").expect(received: 1..<4, generation: 1, next: 4)
                for (place, committed) in [(#""latest""#, 4), ("2", 2), (#""earliest""#, 1), ("4", 4), ("3", 3)] {
                    try await front.seek(place).expect(json: state(committed: committed))
                }
                try await front.ack("a", 1, 4).expect(lost)
                try await front.receive("a").expect(received: 3..<4, generation: 7, next: 4)
            },
            Check("what a group stands at and is no longer kept is 410, until it is set on") { front in
                try await front.produceNumbers(3)
                try await front.receive("a", limit: 1).expect(received: 1..<2, generation: 1, next: 2)
                _ = try await front.release("a", 1)
                try await front.trim(TopicName("orders"), Offset.first.advanced(by: 2))
                let trimmed = ExpectedProblem(410, "offset_trimmed", ["earliest_offset": "3", "end_offset": "4"])
                try await front.receive("a").expect(trimmed)
                try await front.seek("2").expect(trimmed)
                try await front.get(path).expect(json: group(committed: 1, end: 4))
                try await front.seek(#""earliest""#).expect(json: state(committed: 3))
                try await front.receive("a").expect(received: 3..<4, generation: 3, next: 4)
            },
        ]
    }

    private static var groupListChecks: [Check] {
        [
            Check("the list has a topic's groups in the order of their bytes, page by page") { front in
                try await front.produceNumbers(2)
                try await front.produceNumbers(1, to: "other")
                try await front.get("/topics/orders/groups").expect(json: #"{"groups":[]}"#)
                for name in ["b", "a", "B", "a-b"] {
                    _ = try await front.send(.put, "/topics/orders/groups/\(name)")
                }
                _ = try await front.send(.put, "/topics/other/groups/c")
                let groups = ["B", "a", "a-b", "b"].map { group($0, committed: 1, end: 3) }
                try await front.get("/topics/orders/groups")
                    .expect(json: #"{"groups":[\#(groups.joined(separator: ","))]}"#)
                try await front.get("/topics/orders/groups?limit=2")
                    .expect(json: #"{"groups":[\#(groups[0]),\#(groups[1])],"next_cursor":"a"}"#)
                try await front.get("/topics/orders/groups?limit=2&cursor=a")
                    .expect(json: #"{"groups":[\#(groups[2]),\#(groups[3])]}"#)
                try await front.get("/topics/none/groups").expect(ExpectedProblem(404, "topic_not_found"))
            }
        ]
    }

    private static var groupRefusalChecks: [Check] {
        GroupRefusal.all.map { refusal in Check(refusal.name) { try await refusal.check(on: $0) } }
    }

    /// A group as GET shows it.
    static func group(
        _ name: String = "workers", committed: Int, end: Int, lease: (consumer: String, generation: Int)? = nil
    ) -> String {
        #"{"group":"\#(name)","committed_offset":\#(committed),"end_offset":\#(end),"lag":\#(end - committed),"#
            + #""lag_seconds":S,"lease":\#(text(lease))}"#
    }

    /// A group as changes answer it.
    static func state(committed: Int, lease: (consumer: String, generation: Int)? = nil) -> String {
        #"{"group":"workers","committed_offset":\#(committed),"lease":\#(text(lease))}"#
    }

    private static func text(_ lease: (consumer: String, generation: Int)?) -> String {
        lease.map { #"{"consumer":"\#($0.consumer)","generation":\#($0.generation),"expires_at":T}"# } ?? "null"
    }
}

extension HTTPFront {
    /// Receives for the group `workers` of the topic `orders`.
    func receive(
        _ consumer: String, known: Int? = nil, limit: Int? = nil, wait: String? = nil, lease: Int? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        let members = [
            known.map { #","generation":\#($0)"# }, limit.map { #","limit":\#($0)"# }, wait.map { #","wait":\#($0)"# },
            lease.map { #","lease_seconds":\#($0)"# },
        ].compactMap(\.self).joined()
        return try await post("receive", #"{"consumer":"\#(consumer)"\#(members)}"#, sourceLocation: sourceLocation)
    }

    func ack(
        _ consumer: String, _ generation: Int, _ offset: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        try await post(
            "ack", #"{"consumer":"\#(consumer)","generation":\#(generation),"offset":\#(offset)}"#,
            sourceLocation: sourceLocation)
    }

    func release(
        _ consumer: String, _ generation: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> HTTPAnswer {
        try await post(
            "release", #"{"consumer":"\#(consumer)","generation":\#(generation)}"#, sourceLocation: sourceLocation)
    }

    func seek(_ place: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> HTTPAnswer {
        try await post("seek", #"{"offset":\#(place)}"#, sourceLocation: sourceLocation)
    }

    private func post(_ action: String, _ body: String, sourceLocation: SourceLocation) async throws -> HTTPAnswer {
        try await send(
            .post, "/topics/orders/groups/workers/\(action)", body: body, sourceLocation: sourceLocation)
    }
}

extension HTTPAnswer {
    /// Expects a receive's messages, as ``HTTPFront/produceNumbers(_:to:sourceLocation:)`` appended them.
    func expect(
        received numbers: Range<Int>, generation: Int, next: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let messages = numbers.map { #"{"offset":\#($0),"payload":\#($0),"timestamp":T}"# }.joined(separator: ",")
        expect(
            json:
                #"{"generation":\#(generation),"messages":[\#(messages)],"next_offset":\#(next),"lease_expires_at":T}"#,
            sourceLocation: sourceLocation)
    }
}
