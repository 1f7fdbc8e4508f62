import StreamsCore
import StreamsModel
import Testing

/// The steps that checks are made of.
extension PortConformance {
    /// The id for a number of the check's choice, the same each time.
    func appendID(_ number: Int) -> AppendID {
        AppendID(high: 0xFEDC_BA98_7654_3210, low: UInt64(number))
    }

    /// A topic that was just created.
    func makeTopic(_ name: String = "orders", in store: Store) async throws -> TopicName {
        let topic = try TopicName(name)
        let created = try await store.create(topic, at: now)
        #expect(created, "the store should have been empty")
        return topic
    }

    /// A claim, which must succeed; `number` makes its id.
    func claim(
        _ count: Int, of topic: TopicName, number: Int, at time: Timestamp? = nil, in store: Store
    ) async throws -> Claim {
        try await claim(count, of: topic, id: appendID(number), at: time, in: store)
    }

    /// A claim, which must succeed.
    func claim(
        _ count: Int, of topic: TopicName, id: AppendID, at time: Timestamp? = nil, in store: Store
    ) async throws -> Claim {
        let outcome = try await store.claim(ClaimRequest(topic: topic, count: count, id: id, at: time ?? now))
        switch outcome {
        case .claimed(let claim):
            try #require(claim.topic == topic)
            try #require(claim.range.offsetCount == count)
            return claim
        case .noSuchTopic:
            throw UnexpectedOutcome(description: "\(topic) exists, but a claim says that it does not")
        case .fenced:
            throw UnexpectedOutcome(description: "\(topic) has no token, but a claim without one is fenced")
        case .endMismatch(let end):
            throw UnexpectedOutcome(description: "a claim that expects nothing is told that \(topic) ends at \(end)")
        case .closed(let until):
            throw UnexpectedOutcome(description: "\(topic) is open, but a claim says that it is closed until \(until)")
        case .unconfirmed(let end):
            throw UnexpectedOutcome(
                description: "a claim that trusts \(topic) is told that its end, \(end), is not sure")
        }
    }

    /// The segment for a claim, with bytes that no other number has.
    func segment(for claim: Claim, number: Int) -> Segment {
        Segment(
            topic: claim.topic, range: claim.range, kind: .messages, appendID: appendID(number),
            previousClaim: claim.previousClaim, timestamp: claim.at, body: Array("segment \(number)\n".utf8))
    }

    /// Puts a segment at a key that must be free.
    func store(
        _ segment: Segment, in store: Store, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let outcome = try await store.put(segment, signedAt: now)
        try #require(outcome == .stored, sourceLocation: sourceLocation)
    }

    /// A claim and its segment.
    @discardableResult
    func append(_ count: Int, to topic: TopicName, number: Int, in store: Store) async throws -> Segment {
        let claim = try await claim(count, of: topic, number: number, in: store)
        let segment = segment(for: claim, number: number)
        try await self.store(segment, in: store)
        return segment
    }

    /// The head of a topic that must exist.
    func head(of topic: TopicName, in store: Store) async throws -> TopicHead {
        try #require(await store.head(of: topic))
    }

    /// The last offsets of a topic's segments as a list gives them, everything else in the list being right.
    func lasts(
        of topic: TopicName, from: Int64 = 1, limit: Int = 1000, in store: Store
    ) async throws -> [Int64] {
        let from = try #require(Offset(from))
        let listings = try await store.list(topic, from: from, limit: limit)
        #expect(listings.allSatisfy { $0.key.topic == topic })
        return listings.map(\.key.last.rawValue)
    }

    /// Expects a segment to have come back as it was put.
    ///
    /// Bodies are compared by hand: printing megabytes into a failure helps nobody.
    func expect(
        _ found: Segment?, toBe put: Segment, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard var found else {
            Issue.record("nothing at \(put.key)", sourceLocation: sourceLocation)
            return
        }
        let difference = firstDifference(found.body, put.body)
        let counts = "\(found.body.count) for \(put.body.count) bytes"
        #expect(difference == nil, "the bodies part at this byte; \(counts)", sourceLocation: sourceLocation)
        var put = put
        found.body = []
        put.body = []
        #expect(found == put, sourceLocation: sourceLocation)
    }

    private func firstDifference(_ left: [UInt8], _ right: [UInt8]) -> Int? {
        if left == right { return nil }
        return zip(left, right).enumerated().first { $1.0 != $1.1 }?.offset ?? min(left.count, right.count)
    }

    /// Bytes without a pattern, the same each time (xorshift64).
    func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed | 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: state >> shift)) }
        }
        return Array(bytes.prefix(count))
    }
}

/// An outcome after which a check can not go on.
struct UnexpectedOutcome: Error, CustomStringConvertible {
    /// What happened, and why it should not have.
    let description: String
}
