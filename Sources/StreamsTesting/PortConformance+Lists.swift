import StreamsCore
import StreamsModel
import Testing

extension PortConformance {
    /// What is promised of listing segments.
    package static var listChecks: [Check] {
        [
            Check("a list begins at the segment that holds an offset", PortConformance.listBeginsAtTheOffset),
            Check("a list gives as many as asked, or all", PortConformance.listHasALimit),
            Check("a list is in the order of numbers", PortConformance.listIsInOrder),
            Check("a list leaves out what is not stored", PortConformance.listLeavesOutHoles),
            Check("a list is whole beyond the store's page", PortConformance.listIsWholeBeyondAPage),
            Check("a list holds one topic", PortConformance.listKeepsTopicsApart),
        ]
    }

    /// Exact on both sides of every boundary between segments.
    package func listBeginsAtTheOffset(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var expected: [Int64] = []
        for (number, count) in [1, 3, 1, 2, 5].enumerated() {
            let segment = try await append(count, to: topic, number: number, in: store)
            expected.append(segment.range.last.rawValue)
        }
        #expect(expected == [1, 4, 5, 7, 12])
        for from in Int64(1)...14 {
            #expect(try await lasts(of: topic, from: from, in: store) == expected.filter { $0 >= from }, "from \(from)")
        }
        #expect(try await lasts(of: topic, from: .max, in: store) == [])
    }

    /// Any limit from any place: the first so many, and fewer only when there are no more.
    package func listHasALimit(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for number in 1...12 { try await append(2, to: topic, number: number, in: store) }
        let all = (1...12).map { Int64($0 * 2) }
        for limit in [1, 2, 5, 11, 12, 13, 1_000_000] {
            for from in [Int64(1), 2, 3, 13, 23, 24, 25] {
                let expected = Array(all.filter { $0 >= from }.prefix(limit))
                let found = try await lasts(of: topic, from: from, limit: limit, in: store)
                #expect(found == expected, "from \(from), limit \(limit)")
            }
        }
    }

    /// 9 comes before 10, and 2^40 after 99.
    package func listIsInOrder(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let expected: [Int64] = [
            9, 10, 11, 99, 100, 101, 1 << 31, 1 << 32, 9_999_999_999, 10_000_000_000, (1 << 40) - 1, 1 << 40,
            (1 << 40) + 1, (1 << 53) + 1,
        ]
        var end = Offset.first
        var keys: [SegmentKey] = []
        for (number, last) in expected.enumerated() {
            let count = end.distance(to: try #require(Offset(last + 1)))
            let segment = try await append(count, to: topic, number: number, in: store)
            end = segment.range.upperBound
            keys.append(segment.key)
        }
        #expect(try await lasts(of: topic, in: store) == expected)
        for (place, last) in expected.enumerated() {
            #expect(try await lasts(of: topic, from: last, in: store) == Array(expected[place...]))
            #expect(try await lasts(of: topic, from: last + 1, in: store) == Array(expected[(place + 1)...]))
            #expect(try await lasts(of: topic, from: last, limit: 1, in: store) == [last])
        }
        #expect(try await store.get(keys).map { $0?.range.last.rawValue } == expected)
        #expect(try await head(of: topic, in: store).end == end)
    }

    /// Claims without a segment do not show, and segments that come later take their place.
    package func listLeavesOutHoles(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var claims: [Claim] = []
        for number in 0..<9 { claims.append(try await claim(3, of: topic, number: number, in: store)) }
        #expect(try await lasts(of: topic, in: store) == [])
        var stored: [Int64] = []
        for number in [4, 8, 0, 6, 5, 1, 7, 3, 2] {
            try await self.store(segment(for: claims[number], number: number), in: store)
            stored.append(claims[number].range.last.rawValue)
            #expect(try await lasts(of: topic, in: store) == stored.sorted())
            #expect(try await lasts(of: topic, from: 13, limit: 2, in: store) == later(than: 13, of: stored))
        }
    }

    private func later(than from: Int64, of stored: [Int64]) -> [Int64] {
        Array(stored.sorted().filter { $0 >= from }.prefix(2))
    }

    /// More keys than one page of the store come in one list if asked for, and page by page too.
    package func listIsWholeBeyondAPage(on store: Store) async throws {
        try #require(store.keysPerList >= 1)
        let topic = try await makeTopic(in: store)
        let page = min(store.keysPerList, 1000)
        let count = page + 3
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<32 {
                group.addTask {
                    for number in stride(from: lane, to: count, by: 32) {
                        try await append(1, to: topic, number: number, in: store)
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = (1...count).map { Int64($0) }
        for limit in [page, count - 1, count, count + 1] {
            let isRight = try await lasts(of: topic, limit: limit, in: store) == Array(all.prefix(limit))
            #expect(isRight, "limit \(limit) of \(count)")
        }
        let secondPage = try await lasts(of: topic, from: Int64(page) + 1, limit: page, in: store)
        #expect(secondPage == Array(all[page...].prefix(page)))
        #expect(try await lasts(of: topic, from: 3, limit: page, in: store).count == page)
        #expect(try await lasts(of: topic, from: 4, limit: page, in: store).last == Int64(count))
    }

    /// Topics whose names begin alike, or differ in case or by a separator, do not show in each other's lists.
    package func listKeepsTopicsApart(on store: Store) async throws {
        let names = ["a", "A", "a-", "a.", "a_", "aa", "a.a", "a-a", "a_a", ".a", "..a", "a..", "-a", "topics", "b"]
        for (place, name) in names.enumerated() {
            let topic = try await makeTopic(name, in: store)
            for number in 0...place { try await append(place + 1, to: topic, number: number, in: store) }
        }
        for (place, name) in names.enumerated() {
            let topic = try TopicName(name)
            let size = Int64(place + 1)
            #expect(try await lasts(of: topic, in: store) == (1...size).map { $0 * size }, "topic \(name)")
            #expect(try await lasts(of: topic, from: size * size + 1, in: store) == [], "topic \(name)")
        }
        let empty = try await makeTopic("a0", in: store)
        #expect(try await lasts(of: empty, in: store) == [])
    }
}
