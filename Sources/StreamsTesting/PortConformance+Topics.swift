import StreamsCore
import StreamsModel
import Testing

extension PortConformance {
    /// What is promised of creating and listing topics.
    package static var topicChecks: [Check] {
        [
            Check("create says whether it created the topic", PortConformance.createSaysWho),
            Check("creating a topic again changes nothing", PortConformance.createAgainChangesNothing),
            Check("of many creating one topic, one does", PortConformance.createHasOneWinner),
            Check("a topic that does not exist is empty everywhere", PortConformance.absentTopicIsEmpty),
            Check("topics are listed in the order of their bytes", PortConformance.topicsAreInOrder),
            Check("topics are listed page by page", PortConformance.topicsArePaged),
            Check("topics are chosen by a literal prefix", PortConformance.topicsHavePrefix),
            Check("topics are listed after a name, whatever the name", PortConformance.topicsComeAfter),
        ]
    }

    /// Names in order that tempt a store to fold case, read wildcards, or cut names at a separator.
    private static var namesInOrder: [String] {
        [
            "-", "--", "..a", ".a", "0", "10", "9", "A", "A-", "B", "Z", "_", "_a", "a", "a-", "a-b", "a.", "a.b",
            "a..", "aB", "a_", "a_b", "aa", "ab", "abc", "b", "topics", "z", String(repeating: "z", count: 249),
        ].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func createNames(in store: Store) async throws -> [String] {
        // From both ends, so that the order of creation is not the order of names.
        var remaining = Self.namesInOrder[...]
        while let name = remaining.popLast() {
            _ = try await makeTopic(name, in: store)
            if let name = remaining.popFirst() { _ = try await makeTopic(name, in: store) }
        }
        return Self.namesInOrder
    }

    private func names(
        prefix: String = "", after: String = "", limit: Int = 1000, in store: Store
    ) async throws -> [String] {
        try await store.topics(prefix: prefix, after: after, limit: limit).map(\.rawValue)
    }

    /// The first create answers `true`, every other `false`, and the topic is there when it returns.
    package func createSaysWho(on store: Store) async throws {
        let topic = try TopicName("orders")
        #expect(try await store.create(topic, at: now))
        #expect(try await store.head(of: topic) != nil)
        #expect(try await names(in: store) == ["orders"])
        #expect(try await store.create(topic, at: now) == false)
        #expect(try await store.create(TopicName("order"), at: now))
        #expect(try await store.create(TopicName("Orders"), at: now))
        #expect(try await names(in: store) == ["Orders", "order", "orders"])
    }

    /// Neither the offsets nor the time of creation change when a topic is created again.
    package func createAgainChangesNothing(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let segment = try await append(3, to: topic, number: 1, in: store)
        let head = try await head(of: topic, in: store)
        #expect(head.createdAt == now)
        #expect(try await store.create(topic, at: now.advanced(by: .seconds(60))) == false)
        #expect(try await store.head(of: topic) == head)
        expect(try await store.get([segment.key])[0], toBe: segment)
        let next = try await claim(1, of: topic, number: 2, in: store)
        #expect(next.range.lowerBound == segment.range.upperBound)
    }

    /// Of concurrent creates exactly one answers `true`.
    package func createHasOneWinner(on store: Store) async throws {
        for round in 1...4 {
            let topic = try TopicName("topic-\(round)")
            let creators = try await withThrowingTaskGroup(of: Bool.self) { group in
                for creator in 1...16 {
                    let time = now.advanced(by: .milliseconds(creator))
                    group.addTask { try await store.create(topic, at: time) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(creators == 1)
        }
        #expect(try await names(in: store).count == 4)
    }

    /// A topic that was never created has no head, no claims, no segments; asking does not create it.
    package func absentTopicIsEmpty(on store: Store) async throws {
        _ = try await makeTopic("orders-eu", in: store)
        for topic in try [TopicName("orders"), TopicName("orders-eu-1"), TopicName("Orders-eu")] {
            let request = ClaimRequest(topic: topic, count: 1, id: appendID(1), at: now)
            #expect(try await store.claim(request) == .noSuchTopic)
            #expect(try await store.head(of: topic) == nil)
            #expect(try await lasts(of: topic, in: store) == [])
            #expect(try await store.get([SegmentKey(topic: topic, last: .first)]) == [nil])
            #expect(try await store.claim(request) == .noSuchTopic)
        }
        #expect(try await names(in: store) == ["orders-eu"])
    }

    /// Names come in the order of their bytes, whatever the order of creation.
    package func topicsAreInOrder(on store: Store) async throws {
        #expect(try await names(in: store) == [])
        let expected = try await createNames(in: store)
        #expect(try await names(in: store) == expected)
    }

    /// Pages of any size, each begun after the last name of the one before, give every name once.
    package func topicsArePaged(on store: Store) async throws {
        let expected = try await createNames(in: store)
        for limit in [1, 2, 7, expected.count - 1, expected.count, expected.count + 1] {
            var found: [String] = []
            var page: [String] = []
            repeat {
                page = try await names(after: found.last ?? "", limit: limit, in: store)
                let remaining = expected.count - found.count
                try #require(page.count == min(limit, remaining), "a page of \(limit) with \(remaining) left")
                found += page
            } while !page.isEmpty
            #expect(found == expected)
        }
    }

    /// A prefix is compared byte by byte, with no wildcards and no folding of case.
    package func topicsHavePrefix(on store: Store) async throws {
        let expected = try await createNames(in: store)
        let longest = String(repeating: "z", count: 249)
        for prefix in ["a", "A", "a.", "a_", "a-", "_", ".", "-", "ab", "abcd", "z", "zz", longest, longest + "z"] {
            let matching = expected.filter { $0.hasPrefix(prefix) }
            #expect(try await names(prefix: prefix, in: store) == matching, "prefix \(prefix)")
            for (place, name) in matching.enumerated() {
                let rest = Array(matching[(place + 1)...].prefix(2))
                let page = try await names(prefix: prefix, after: name, limit: 2, in: store)
                #expect(page == rest, "prefix \(prefix) after \(name)")
            }
        }
        for prefix in ["%", "*", "a%", "a?", "[a]", "a'", "é", "\u{10FFFF}", " "] {
            #expect(try await names(prefix: prefix, in: store) == [], "prefix \(prefix)")
        }
    }

    /// `after` need not be the name of a topic, nor begin with the prefix.
    package func topicsComeAfter(on store: Store) async throws {
        let expected = try await createNames(in: store)
        for after in expected + ["!", "a+", "a0", "azzz", "y", "~", "é", "\u{10FFFF}"] {
            let rest = expected.filter { after.utf8.lexicographicallyPrecedes($0.utf8) }
            #expect(try await names(after: after, in: store) == rest, "after \(after)")
            let restOfA = rest.filter { $0.hasPrefix("a") }
            #expect(try await names(prefix: "a", after: after, in: store) == restOfA, "prefix a after \(after)")
        }
    }
}
