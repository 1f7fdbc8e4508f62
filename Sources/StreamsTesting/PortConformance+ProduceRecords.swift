import StreamsCore
import StreamsModel
import Testing

/// The records of idempotency keys.
extension PortConformance {
    /// What is promised of them.
    package static var produceRecordChecks: [Check] {
        [
            Check("a record comes back as it was put", PortConformance.recordComesBack),
            Check("a record is put where there is none", PortConformance.recordIsPutOnce),
            Check("a record is replaced by who has seen it", PortConformance.recordIsReplacedBySight),
            Check("of many who put a record one succeeds", PortConformance.recordHasOneWinner),
            Check("of many who replace a record one succeeds", PortConformance.recordHasOneSuccessor),
            Check("keys belong to their topics", PortConformance.keysBelongToTopics),
            Check("a record stands beside its segment", PortConformance.recordStandsBesideItsSegment),
            Check("a claim with a record is not given back as another's", PortConformance.recordedClaimStays),
            Check("expired records go, and others stay", PortConformance.expiredRecordsGo),
        ]
    }

    private func key(_ text: String = "key") throws -> IdempotencyKey { try IdempotencyKey(text) }

    /// A record over a claim of its own; `number` makes both ids.
    private func makeRecord(
        _ topic: TopicName, number: Int, count: Int = 1, lifetime: Duration = .seconds(86_400), in store: Store
    ) async throws -> ProduceRecord {
        let claim = try await claim(count, of: topic, number: number, in: store)
        let digest = try #require(RequestDigest((0..<32).map { UInt8(truncatingIfNeeded: $0 + number) }))
        // Whole seconds: a store may keep no more.
        let expiresAt = Timestamp(milliseconds: now.milliseconds / 1000 * 1000).advanced(by: lifetime)
        return ProduceRecord(claim: claim, appendID: appendID(number), digest: digest, expiresAt: expiresAt)
    }

    /// All of it, with and without a claim before, also after the segment is stored.
    package func recordComesBack(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for (number, key) in [try key("first"), try key(String(repeating: "~", count: 255))].enumerated() {
            #expect(try await store.produceRecord(of: key, in: topic) == nil)
            let record = try await makeRecord(topic, number: number, count: 3, in: store)
            #expect(try await store.setProduceRecord(record, of: key, in: topic, replacing: nil) == record)
            #expect(try await store.produceRecord(of: key, in: topic) == record)
            try await self.store(segment(for: record.claim, number: number), in: store)
            #expect(try await store.produceRecord(of: key, in: topic) == record)
        }
    }

    /// A second one is refused with the first, and the first one's retry is none.
    package func recordIsPutOnce(on store: Store) async throws {
        let (topic, key) = (try await makeTopic(in: store), try key())
        let first = try await makeRecord(topic, number: 1, in: store)
        let second = try await makeRecord(topic, number: 2, in: store)
        #expect(try await store.setProduceRecord(first, of: key, in: topic, replacing: nil) == first)
        #expect(try await store.setProduceRecord(second, of: key, in: topic, replacing: nil) == first)
        #expect(try await store.setProduceRecord(first, of: key, in: topic, replacing: nil) == first)
        #expect(try await store.produceRecord(of: key, in: topic) == first)
    }

    /// Who has seen another one, or one where there is none, changes nothing.
    package func recordIsReplacedBySight(on store: Store) async throws {
        let (topic, key) = (try await makeTopic(in: store), try key())
        var records: [ProduceRecord] = []
        for number in 1...3 { records.append(try await makeRecord(topic, number: number, in: store)) }
        #expect(try await store.setProduceRecord(records[1], of: key, in: topic, replacing: records[0]) == nil)
        #expect(try await store.produceRecord(of: key, in: topic) == nil)
        _ = try await store.setProduceRecord(records[0], of: key, in: topic, replacing: nil)
        #expect(
            try await store.setProduceRecord(records[1], of: key, in: topic, replacing: records[0]) == records[1])
        // The retry of a call that got through.
        #expect(
            try await store.setProduceRecord(records[1], of: key, in: topic, replacing: records[0]) == records[1])
        #expect(
            try await store.setProduceRecord(records[2], of: key, in: topic, replacing: records[0]) == records[1])
        // Also where its batch is stored.
        try await self.store(segment(for: records[1].claim, number: 2), in: store)
        #expect(
            try await store.setProduceRecord(records[2], of: key, in: topic, replacing: records[0]) == records[1])
        #expect(
            try await store.setProduceRecord(records[2], of: key, in: topic, replacing: records[1]) == records[2])
        try await self.store(segment(for: records[2].claim, number: 3), in: store)
        #expect(try await store.produceRecord(of: key, in: topic) == records[2])
    }

    /// All are told the same one.
    package func recordHasOneWinner(on store: Store) async throws {
        let (topic, key) = (try await makeTopic(in: store), try key())
        let standing = try await withThrowingTaskGroup(of: AppendID?.self) { group in
            for number in 0..<16 {
                let record = try await makeRecord(topic, number: number, in: store)
                group.addTask {
                    let standing = try await store.setProduceRecord(record, of: key, in: topic, replacing: nil)
                    if standing?.appendID == record.appendID {
                        try await self.store(self.segment(for: record.claim, number: number), in: store)
                    }
                    return standing?.appendID
                }
            }
            return try await group.reduce(into: Set<AppendID?>()) { $0.insert($1) }
        }
        #expect(standing.count == 1 && standing.first != .some(nil))
        #expect(try await store.produceRecord(of: key, in: topic)?.appendID == standing.first)
    }

    /// The same of those who move a record that they have seen.
    package func recordHasOneSuccessor(on store: Store) async throws {
        let (topic, key) = (try await makeTopic(in: store), try key())
        let first = try await makeRecord(topic, number: 0, in: store)
        _ = try await store.setProduceRecord(first, of: key, in: topic, replacing: nil)
        let standing = try await withThrowingTaskGroup(of: AppendID?.self) { group in
            for number in 1...12 {
                let record = try await makeRecord(topic, number: number, in: store)
                group.addTask {
                    try await store.setProduceRecord(record, of: key, in: topic, replacing: first)?.appendID
                }
            }
            return try await group.reduce(into: Set<AppendID?>()) { $0.insert($1) }
        }
        #expect(standing.count == 1 && standing.first != first.appendID)
    }

    /// One key, two topics, two records.
    package func keysBelongToTopics(on store: Store) async throws {
        let key = try key()
        let (orders, others) = (try await makeTopic(in: store), try await makeTopic("others", in: store))
        let first = try await makeRecord(orders, number: 1, in: store)
        let second = try await makeRecord(others, number: 2, count: 2, in: store)
        _ = try await store.setProduceRecord(first, of: key, in: orders, replacing: nil)
        #expect(try await store.setProduceRecord(second, of: key, in: others, replacing: nil) == second)
        #expect(try await store.produceRecord(of: key, in: orders) == first)
        #expect(try await store.produceRecord(of: key, in: others) == second)
        // Records are no topics.
        #expect(try await store.topics(prefix: "", after: "", limit: 10) == [orders, others])
    }

    /// A segment of another append at the record's place does not settle it; its own does.
    package func recordStandsBesideItsSegment(on store: Store) async throws {
        let (topic, key) = (try await makeTopic(in: store), try key())
        let record = try await makeRecord(topic, number: 1, count: 2, in: store)
        _ = try await store.setProduceRecord(record, of: key, in: topic, replacing: nil)
        let filler = Segment.filler(topic, record.claim.range, appendID: appendID(77), timestamp: now)
        try await self.store(filler, in: store)
        #expect(try await store.produceRecord(of: key, in: topic) == record)
        #expect(try await store.put(segment(for: record.claim, number: 1), signedAt: now) == .taken)
        let moved = try await makeRecord(topic, number: 2, count: 2, in: store)
        #expect(try await store.setProduceRecord(moved, of: key, in: topic, replacing: record) == moved)
        try await self.store(segment(for: moved.claim, number: 2), in: store)
        #expect(try await store.produceRecord(of: key, in: topic) == moved)
    }

    /// Whoever finds the record may be about to write there.
    package func recordedClaimStays(on store: Store) async throws {
        let (topic, key) = (try await makeTopic(in: store), try key())
        let record = try await makeRecord(topic, number: 1, in: store)
        _ = try await store.setProduceRecord(record, of: key, in: topic, replacing: nil)
        #expect(!(await store.release(record.claim)))
        #expect(try await claim(1, of: topic, number: 2, in: store).range.lowerBound == record.claim.range.upperBound)
    }

    /// In small steps; a store whose records go by themselves leaves them to be judged by their time.
    package func expiredRecordsGo(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for number in 1...5 {
            let lifetime: Duration = number == 5 ? .seconds(1000) : .seconds(10)
            let record = try await makeRecord(topic, number: number, lifetime: lifetime, in: store)
            _ = try await store.setProduceRecord(record, of: try key("k\(number)"), in: topic, replacing: nil)
            // Of some the batch is stored, of others not.
            if number % 2 == 1 { try await self.store(segment(for: record.claim, number: number), in: store) }
        }
        let later = now.advanced(by: .seconds(100))
        var steps = 1
        while try await store.deleteProduceRecords(expiredAt: later, limit: 1), steps < 20 { steps += 1 }
        #expect(steps < 20)
        var standing: [Int] = []
        for number in 1...5 {
            let record = try await store.produceRecord(of: try key("k\(number)"), in: topic)
            if let record, record.expiresAt > later || steps > 1 { standing.append(number) }
        }
        #expect(standing == [5])
    }
}
