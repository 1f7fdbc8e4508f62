import StreamsCore
import StreamsModel
import Testing

extension PortConformance {
    /// What is promised of consumer groups.
    package static var groupChecks: [Check] {
        [
            Check("a group comes back as it was stored", PortConformance.groupComesBack),
            Check("a group is stored only over the state that was seen", PortConformance.groupIsCompared),
            Check("a group stored twice with one version is stored once", PortConformance.groupStoreIsIdempotent),
            Check("of many storing over one state, one does", PortConformance.groupHasOneWriter),
            Check("a commit moves the offset and renews the lease", PortConformance.commitMoves),
            Check("a commit that is refused changes nothing, and tells what stands", PortConformance.commitIsRefused),
            Check("a commit may come twice", PortConformance.commitIsIdempotent),
            Check("a removed group is gone, and may be made again", PortConformance.groupIsRemoved),
            Check(
                "groups are listed by topic, in the order of their bytes, page by page", PortConformance.groupsAreListed
            ),
        ]
    }

    private func key(_ name: String = "workers", of topic: String = "orders") throws -> GroupKey {
        GroupKey(topic: try TopicName(topic), name: try GroupName(name))
    }

    private func put(_ group: Group, replacing seen: AppendID?, in store: Store) async throws -> Bool {
        try await store.store(group, replacing: seen, at: now)
    }

    private func offset(_ number: Int64) throws -> Offset { try #require(Offset(number)) }

    /// A group whose parts all differ; `number` makes its version.
    private func makeGroup(_ key: GroupKey, number: Int, isLeased: Bool = true) throws -> Group {
        Group(
            key: key, topicCreatedAt: now, committed: try offset(5), delivered: try offset(8),
            generation: try #require(Generation(3)),
            lease: isLeased
                ? GroupLease(
                    consumer: "a \"consumer\" é", expiresAt: now.advanced(by: .seconds(30)), length: .seconds(45))
                : nil,
            createdAt: now.advanced(by: .seconds(1)), version: appendID(number))
    }

    private func commit(
        _ group: Group, _ offset: Int64, number: Int, generation: Int64 = 3, consumer: String? = nil,
        in store: Store
    ) async throws -> CommitOutcome {
        try await store.commit(
            CommitRequest(
                key: group.key, consumer: consumer ?? group.lease?.consumer ?? "",
                generation: try #require(Generation(generation)), offset: try self.offset(offset),
                at: now.advanced(by: .seconds(10)), version: appendID(number)))
    }

    /// All parts of a group come back, with a lease and without.
    package func groupComesBack(on store: Store) async throws {
        for (index, isLeased) in [true, false].enumerated() {
            let group = try makeGroup(try key("g\(index)"), number: index, isLeased: isLeased)
            #expect(try await store.group(group.key) == nil)
            #expect(try await put(group, replacing: nil, in: store))
            #expect(try await store.group(group.key) == group)
        }
        #expect(try await store.group(key("g0", of: "orders-eu")) == nil)
    }

    /// Neither over another state, nor over none, nor beside one that stands.
    package func groupIsCompared(on store: Store) async throws {
        let group = try makeGroup(try key(), number: 1)
        var next = try makeGroup(try key(), number: 2, isLeased: false)
        #expect(try await put(next, replacing: group.version, in: store) == false)
        #expect(try await store.group(group.key) == nil)
        #expect(try await put(group, replacing: nil, in: store))
        #expect(try await put(next, replacing: nil, in: store) == false)
        #expect(try await put(next, replacing: appendID(9), in: store) == false)
        #expect(try await store.group(group.key) == group)
        next.generation = next.generation.next
        #expect(try await put(next, replacing: group.version, in: store))
        #expect(try await store.group(group.key) == next)
        // What was sent first and comes last.
        #expect(try await put(group, replacing: nil, in: store) == false)
        #expect(try await store.group(group.key) == next)
    }

    /// A retry after a lost answer.
    package func groupStoreIsIdempotent(on store: Store) async throws {
        let group = try makeGroup(try key(), number: 1)
        #expect(try await put(group, replacing: nil, in: store))
        #expect(try await put(group, replacing: nil, in: store))
        let next = try makeGroup(try key(), number: 2)
        #expect(try await put(next, replacing: group.version, in: store))
        #expect(try await put(next, replacing: group.version, in: store))
        #expect(try await store.group(group.key) == next)
    }

    /// Side by side.
    package func groupHasOneWriter(on store: Store) async throws {
        let first = try makeGroup(try key(), number: 1)
        #expect(try await put(first, replacing: nil, in: store))
        let winners = try await withThrowingTaskGroup(of: Bool.self) { tasks in
            for number in 2..<18 {
                let group = try makeGroup(try key(), number: number)
                tasks.addTask { try await put(group, replacing: first.version, in: store) }
            }
            return try await tasks.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(winners == 1)
    }

    /// Committed offset, end of the lease and version change, nothing else.
    package func commitMoves(on store: Store) async throws {
        let group = try makeGroup(try key(), number: 1)
        #expect(try await put(group, replacing: nil, in: store))
        var expected = group
        for (number, offset) in [(2, 6), (3, 6), (4, 8)] as [(Int, Int64)] {
            expected.committed = try self.offset(offset)
            expected.version = appendID(number)
            expected.lease?.expiresAt = now.advanced(by: .seconds(55))
            let outcome = try await commit(group, offset, number: number, in: store)
            // The same offset again at the same time may be taken for what was done already.
            if case .refused(let standing?) = outcome, number == 3 {
                #expect(standing.committed == expected.committed)
                expected.version = standing.version
            } else {
                #expect(outcome == .committed(expected))
            }
            #expect(try await store.group(group.key) == expected)
        }
    }

    /// Another consumer, another generation, an offset outside, no lease, no group.
    package func commitIsRefused(on store: Store) async throws {
        let group = try makeGroup(try key(), number: 1)
        #expect(try await commit(group, 6, number: 2, in: store) == .refused(nil))
        #expect(try await store.group(group.key) == nil)
        #expect(try await put(group, replacing: nil, in: store))
        #expect(try await commit(group, 6, number: 2, generation: 2, in: store) == .refused(group))
        #expect(try await commit(group, 6, number: 2, generation: 4, in: store) == .refused(group))
        #expect(try await commit(group, 6, number: 2, consumer: "b", in: store) == .refused(group))
        #expect(try await commit(group, 4, number: 2, in: store) == .refused(group))
        #expect(try await commit(group, 9, number: 2, in: store) == .refused(group))
        #expect(try await store.group(group.key) == group)
        let free = try makeGroup(try key("free"), number: 1, isLeased: false)
        #expect(try await put(free, replacing: nil, in: store))
        #expect(try await commit(free, 6, number: 2, consumer: "a", in: store) == .refused(free))
        #expect(try await store.group(free.key) == free)
    }

    /// A retry after a lost answer.
    package func commitIsIdempotent(on store: Store) async throws {
        let group = try makeGroup(try key(), number: 1)
        #expect(try await put(group, replacing: nil, in: store))
        let outcome = try await commit(group, 7, number: 2, in: store)
        #expect(try await commit(group, 7, number: 2, in: store) == outcome)
        // One that was overtaken by another finds what stands.
        _ = try await commit(group, 8, number: 3, in: store)
        guard case .refused(let standing?) = try await commit(group, 7, number: 2, in: store) else {
            Issue.record("a late commit moved the offset back")
            return
        }
        #expect(standing.committed.rawValue == 8)
    }

    /// Late requests of its first life change nothing.
    package func groupIsRemoved(on store: Store) async throws {
        let group = try makeGroup(try key(), number: 1)
        #expect(try await put(group, replacing: nil, in: store))
        let removed = group.removing(version: appendID(2))
        #expect(try await put(group.removing(version: appendID(3)), replacing: appendID(9), in: store) == false)
        #expect(try await put(removed, replacing: group.version, in: store))
        let standing = try await store.group(group.key)
        #expect(standing?.isRemoved ?? true)
        #expect(try await store.groups(of: group.key.topic, after: "", limit: 10) == [])
        if case .committed = try await commit(group, 6, number: 4, in: store) { Issue.record("a removed group moved") }
        let again = try makeGroup(try key(), number: 5)
        #expect(try await put(again, replacing: standing?.version, in: store))
        #expect(try await store.group(group.key) == again)
        #expect(try await put(removed, replacing: group.version, in: store) == false)
        #expect(try await store.group(group.key) == again)
    }

    /// Names that begin alike, topics that begin alike.
    package func groupsAreListed(on store: Store) async throws {
        let names = ["-", "A", "_", "a", "a-b", "a.b", "ab", "b", String(repeating: "z", count: 249)]
        let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        for (number, name) in names.reversed().enumerated() {
            #expect(try await put(makeGroup(try key(name), number: number), replacing: nil, in: store))
        }
        #expect(try await put(makeGroup(try key("x", of: "orders-eu"), number: 50), replacing: nil, in: store))
        #expect(try await put(makeGroup(try key("x", of: "order"), number: 51), replacing: nil, in: store))
        let topic = try TopicName("orders")
        for limit in [1, 2, 4, sorted.count, 100] {
            var found: [String] = []
            while true {
                let page = try await store.groups(of: topic, after: found.last ?? "", limit: limit)
                #expect(page.count <= limit)
                guard !page.isEmpty else { break }
                found += page.map(\.key.name.rawValue)
            }
            #expect(found == sorted, "pages of \(limit)")
        }
        let first = try await store.groups(of: topic, after: "", limit: 1)
        #expect(try await store.group(key(sorted[0])) == first.first)
        #expect(try await store.groups(of: TopicName("none"), after: "", limit: 10) == [])
    }
}
