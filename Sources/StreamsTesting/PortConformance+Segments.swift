import StreamsCore
import StreamsModel
import Testing

extension PortConformance {
    /// What is promised of storing segments.
    package static var putChecks: [Check] {
        [
            Check("a segment is stored once", PortConformance.putStoresOnce),
            Check("a filler and messages never replace each other", PortConformance.fillersAndMessagesAreEqual),
            Check("of many at one key, one is stored and stays", PortConformance.putHasOneWinner),
        ]
    }

    /// What is promised of getting segments.
    package static var getChecks: [Check] {
        [
            Check("segments come back in the order of the keys", PortConformance.getKeepsTheOrderOfKeys),
            Check("segments come back as they were put", PortConformance.getGivesWhatWasPut),
            Check("segments of megabytes come back whole", PortConformance.largeBodiesComeBack),
            Check("ids come back with all their bits", PortConformance.appendIDsComeBack),
            Check("a segment stands only at its last offset", PortConformance.segmentStandsAtItsLastOffset),
            Check("segments of other topics do not show", PortConformance.getKeepsTopicsApart),
        ]
    }

    /// The first put at a key is stored, every other finds it taken and changes nothing.
    package func putStoresOnce(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let first = try await append(3, to: topic, number: 1, in: store)
        #expect(try await store.put(first, signedAt: now) == .taken)
        var other = first
        other.appendID = appendID(2)
        other.timestamp = now.advanced(by: .seconds(1))
        for body in ["", "x", "something that is longer than what is there\n"] {
            other.body = Array(body.utf8)
            #expect(try await store.put(other, signedAt: now) == .taken)
            expect(try await store.get([first.key])[0], toBe: first)
            #expect(try await store.list(topic, from: .first, limit: 10).map(\.bodyBytes) == [first.body.count])
        }
        #expect(try await head(of: topic, in: store).end == first.range.upperBound)
    }

    /// Whichever is there first stays: this decides between a slow writer and an impatient reader.
    package func fillersAndMessagesAreEqual(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for (number, messagesFirst) in [true, false, true, false].enumerated() {
            let claim = try await claim(4, of: topic, number: number, in: store)
            let messages = segment(for: claim, number: number)
            // One filler covers the claim, another only its last offset.
            let fillerRange = number < 2 ? claim.range : claim.range.last..<claim.range.upperBound
            let filler = Segment(
                topic: topic, range: fillerRange, kind: .filler, appendID: appendID(100 + number), previousClaim: nil,
                timestamp: now, body: [])
            let (first, second) = messagesFirst ? (messages, filler) : (filler, messages)
            #expect(try await store.put(first, signedAt: now) == .stored)
            #expect(try await store.put(second, signedAt: now) == .taken)
            expect(try await store.get([first.key])[0], toBe: first)
            #expect(try await head(of: topic, in: store).end == claim.range.upperBound)
        }
    }

    /// Of concurrent puts at one key exactly one is stored, and its bytes stay.
    package func putHasOneWinner(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        for round in 0..<8 {
            let claim = try await claim(2, of: topic, number: round, in: store)
            let candidates = (0..<16).map { candidate in
                var segment = segment(for: claim, number: 1000 + round * 100 + candidate)
                segment.body = noise(1 + candidate * 10, seed: UInt64(candidate))
                return segment
            }
            let winners = try await withThrowingTaskGroup(of: Segment?.self) { group in
                for candidate in candidates {
                    group.addTask { try await store.put(candidate, signedAt: now) == .stored ? candidate : nil }
                }
                return try await group.reduce(into: []) { $0 += $1.map { [$0] } ?? [] }
            }
            try #require(winners.count == 1)
            expect(try await store.get([winners[0].key])[0], toBe: winners[0])
            let listings = try await store.list(topic, from: claim.range.lowerBound, limit: 10)
            #expect(listings == [SegmentListing(key: winners[0].key, bodyBytes: winners[0].body.count)])
        }
    }

    /// One answer for each key: of several topics, in any order, twice, and `nil` where there is nothing.
    package func getKeepsTheOrderOfKeys(on store: Store) async throws {
        #expect(try await store.get([]) == [])
        let topics = [try await makeTopic("a", in: store), try await makeTopic("b", in: store)]
        var segments: [Segment?] = []
        for number in 0..<20 {
            segments.append(try await append(2, to: topics[number % 2], number: number, in: store))
        }
        let absent = try [
            SegmentKey(topic: topics[0], last: #require(Offset(999))),
            SegmentKey(topic: TopicName("absent"), last: #require(Offset(2))),
        ]
        let shuffled = (0..<50).map { $0 * 7 % 20 }
        let keys = [absent[0]] + shuffled.compactMap { segments[$0]?.key } + [absent[1], absent[0]]
        let found = try await store.get(keys)
        #expect(found == [nil] + shuffled.map { segments[$0] } + [nil, nil])
    }

    /// Every field and every byte comes back; the body is bytes and nothing else to the store.
    package func getGivesWhatWasPut(on store: Store) async throws {
        let topic = try await makeTopic("Topic_1.of-many", in: store)
        let everyByte = (0...255).map { UInt8($0) }
        let bodies: [[UInt8]] = [
            [], [0], [0, 0, 0], [0x0A], everyByte, everyByte.reversed(), Array("{\"offset\":1}\n".utf8),
            Array("\r\n\u{FEFF}é 😀'\"\\%00\n".utf8), [0xFF, 0xFE, 0xC0, 0x80], noise(70_001, seed: 3),
        ]
        // 1970, its first millisecond, a leap day, and the last moment with a year of four digits.
        let timestamps: [Int64] = [0, 1, 1_709_164_800_000, 253_402_300_799_999]
        var segments: [Segment] = []
        for number in 0..<20 {
            let claim = try await claim(number % 3 + 1, of: topic, number: number, in: store)
            var segment = segment(for: claim, number: number)
            segment.body = bodies[number % bodies.count]
            if segment.body.isEmpty { segment.kind = .filler }
            segment.timestamp = Timestamp(milliseconds: timestamps[number % timestamps.count])
            if number % 3 == 1 { segment.previousClaim = nil }
            try await self.store(segment, in: store)
            segments.append(segment)
        }
        let found = try await store.get(segments.map(\.key))
        for (found, segment) in zip(found, segments) { expect(found, toBe: segment) }
        let listings = try await store.list(topic, from: .first, limit: 1000)
        #expect(listings == segments.map { SegmentListing(key: $0.key, bodyBytes: $0.body.count) })
    }

    /// Bodies up to several megabytes come back, several in one get.
    package func largeBodiesComeBack(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        var segments: [Segment] = []
        for (number, bytes) in [65_536, 1 << 20, (4 << 20) - 1, 6_000_001].enumerated() {
            let claim = try await claim(10, of: topic, number: number, in: store)
            var segment = segment(for: claim, number: number)
            segment.body = noise(bytes, seed: UInt64(number + 9))
            try await self.store(segment, in: store)
            segments.append(segment)
        }
        let found = try await store.get(segments.map(\.key))
        for (found, segment) in zip(found, segments) { expect(found, toBe: segment) }
        let listings = try await store.list(topic, from: .first, limit: 10)
        #expect(listings.map(\.bodyBytes) == segments.map(\.body.count))
    }

    /// The ids of appends come back bit by bit, those with the highest bits set too.
    package func appendIDsComeBack(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let halves: [UInt64] = [0, 1, .max >> 1, 1 << 63, .max, 0xFEDC_BA98_7654_3210]
        var segments: [Segment] = []
        for (number, high) in halves.enumerated() {
            for (other, low) in halves.enumerated() {
                let claim = try await claim(1, of: topic, number: number * 10 + other, in: store)
                var segment = segment(for: claim, number: number)
                segment.appendID = AppendID(high: high, low: low)
                try await self.store(segment, in: store)
                segments.append(segment)
            }
        }
        #expect(try await store.get(segments.map(\.key)) == segments)
    }

    /// The other offsets of a segment's range are no keys.
    package func segmentStandsAtItsLastOffset(on store: Store) async throws {
        let topic = try await makeTopic(in: store)
        let segment = try await append(5, to: topic, number: 1, in: store)
        let keys = (0...5).map { SegmentKey(topic: topic, last: Offset.first.advanced(by: $0)) }
        #expect(try await store.get(keys) == [nil, nil, nil, nil, segment, nil])
    }

    /// The same offsets in topics with similar names are different segments.
    package func getKeepsTopicsApart(on store: Store) async throws {
        var segments: [Segment] = []
        for (number, name) in ["a", "A", "a-", "a.", "a_", "aa", "a.a", "..a", "a..", "topics"].enumerated() {
            let topic = try await makeTopic(name, in: store)
            segments.append(try await append(3, to: topic, number: number, in: store))
        }
        let absent = try await makeTopic("a-a", in: store)
        let absentKey = SegmentKey(topic: absent, last: Offset.first.advanced(by: 2))
        #expect(try await store.get(segments.map(\.key) + [absentKey]) == segments + [nil])
    }
}
