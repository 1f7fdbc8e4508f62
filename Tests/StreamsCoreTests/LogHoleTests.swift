@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Reading at a hole", .timeLimit(.minutes(2)))
struct LogHoleTests {
    let laboratory: Laboratory
    let topic: TopicName
    /// Reads, and writes nothing.
    let reader: Log
    var store: FaultInjectingStore { laboratory.store }
    var memory: InMemoryStore { laboratory.memory }

    init() async throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
        reader = laboratory.makeLog()
        _ = await memory.create(topic, at: laboratory.time.now())
    }

    @Test("stops before an unfinished write and does not skip it")
    func stops() async throws {
        try await write(1)
        try await laboratory.claim(2)
        try await write(1)
        let page = try await laboratory.read(reader)
        #expect(page.texts == ["1:0"])
        #expect(page.next == 2 && page.end == 5)
        let atHole = try await laboratory.read(reader, .offset(2))
        #expect(atHole.texts.isEmpty && atHole.next == 2)
        let inHole = try await laboratory.read(reader, .offset(3))
        #expect(inHole.texts.isEmpty && inHole.next == 3)
        #expect(try await laboratory.read(reader, .offset(4)).texts == ["4:0"])
        #expect(store.puts.isEmpty)
    }

    @Test("waits for an unfinished write and then delivers it")
    func delivers() async throws {
        let claim = try await laboratory.claim(2)
        try await write(1)
        #expect(try await laboratory.read(reader).next == 1)
        try await put(claim)
        #expect(try await laboratory.read(reader).texts == ["1:0", "2:1", "3:0"])
    }

    @Test("closes a hole at the tail when its claim is old enough, not a moment before, with one filler")
    func closesTail() async throws {
        try await write(1)
        try await laboratory.claim(3)
        laboratory.time.advance(by: .milliseconds(4999))
        #expect(try await laboratory.read(reader, .offset(2)).next == 2)
        #expect(store.puts.isEmpty)
        laboratory.time.advance(by: .milliseconds(1))
        #expect(try await laboratory.read(reader, .offset(2)).next == 5)
        #expect(await laboratory.layout() == "1-1 (2-4)")
        #expect(reader.counters.snapshot.fillers == 1)
    }

    @Test("takes the age of a later message as evidence, which a wrong clock can not spoil for ever")
    func evidence() async throws {
        try await laboratory.claim(1)
        laboratory.time.advance(by: .seconds(3))
        try await write(1)
        laboratory.time.advance(by: .seconds(3))
        // The message behind the hole is 3 s old.
        #expect(try await laboratory.read(reader).next == 1)
        laboratory.time.advance(by: .seconds(2))
        #expect(try await laboratory.read(reader).texts == ["2:0"])
    }

    @Test("closes a hole that this process has seen for long enough, although wall clocks say otherwise")
    func wrongClock() async throws {
        try await laboratory.claim(1)
        laboratory.time.shiftWallClock(by: .seconds(-7200))
        #expect(try await laboratory.read(reader).next == 1)
        laboratory.time.advance(by: .milliseconds(4999))
        #expect(try await laboratory.read(reader).next == 1)
        #expect(store.puts.isEmpty)
        laboratory.time.advance(by: .milliseconds(1))
        #expect(try await laboratory.read(reader).next == 2)
    }

    @Test("covers a claim with one filler when the message behind names its base")
    func previousClaimHint() async throws {
        try await laboratory.claim(3)
        try await write(1)
        laboratory.time.advance(by: .seconds(6))
        #expect(try await laboratory.read(reader).texts == ["4:0"])
        #expect(store.puts.map(\.shape) == ["(1-3)"])
    }

    @Test("closes what it knows no base of one by one, from the top down")
    func topDown() async throws {
        try await laboratory.claim(2)
        try await laboratory.claim(2)
        try await write(1)
        laboratory.time.advance(by: .seconds(6))
        #expect(try await laboratory.read(reader).texts == ["5:0"])
        #expect(store.puts.map(\.shape) == ["(3-4)", "(2-2)", "(1-1)"])
    }

    @Test("reads past a newest claim that was closed filler by filler")
    func tailOfFillers() async throws {
        let claim = try await laboratory.claim(3)
        for last in [3, 2, 1] as [Offset] {
            let filler = Segment.filler(
                topic, last..<last.advanced(by: 1), appendID: laboratory.makeID(), timestamp: claim.at)
            _ = await memory.put(filler, signedAt: claim.at)
        }
        laboratory.time.advance(by: .seconds(6))
        #expect(try await laboratory.read(reader).next == 4)
        #expect(store.puts.isEmpty)
    }

    @Test("uses no base from a filler behind the hole")
    func fillerBehind() async throws {
        try await laboratory.claim(2)
        let filler = Segment.filler(
            topic, 3..<4, appendID: laboratory.makeID(), previousClaim: 1, timestamp: laboratory.time.now())
        try await laboratory.claim(1)
        _ = await memory.put(filler, signedAt: filler.timestamp)
        try await write(1)
        laboratory.time.advance(by: .seconds(6))
        #expect(try await laboratory.read(reader).texts == ["4:0"])
        #expect(store.puts.map(\.shape) == ["(2-2)", "(1-1)"])
    }

    @Test("uses the base of the newest claim only with the end that belongs to it")
    func staleHead() async throws {
        let claim = try await laboratory.claim(2)
        laboratory.time.advance(by: .seconds(6))
        // Another claim comes between the read of the item and the second one, which decides what the gap is.
        let gate = laboratory.makeGate()
        let heads = Shared(0)
        store.plan { call in
            guard case .head = call else { return .none }
            return heads.change {
                $0 += 1; return $0 == 2
            } ? .held(at: gate) : .none
        }
        async let page = laboratory.read(reader)
        try await laboratory.until("the second look") { gate.arrivalCount == 1 }
        try await laboratory.claim(2)
        gate.open()
        // The second claim is fresh by the wall clock.
        #expect(try await page.next == 3)
        #expect(await laboratory.layout() == "(1-2)")
        #expect(await putOutcome(claim) == .taken)
    }

    /// `base-bu-i1only` of the model: with bottom-up filling the filler at 1 goes below a batch that is acknowledged.
    @Test("loses no batch that lands while the hole is being closed")
    func bottomUpCounterexample() async throws {
        let writer = laboratory.makeLog(over: FaultInjectingStore(memory))
        let late = try await laboratory.claim(2)
        try await laboratory.claim(1)
        try await write(1)
        laboratory.time.advance(by: .seconds(6))
        // The reader stops between its first filler and its second.
        let gate = laboratory.makeGate()
        let puts = Shared(0)
        store.plan { call in
            guard case .put = call else { return .none }
            return puts.change {
                $0 += 1; return $0 == 2
            } ? .held(at: gate) : .none
        }
        async let page = laboratory.read(reader)
        try await laboratory.until("the second filler") { gate.arrivalCount == 1 }
        #expect(await putOutcome(late) == .stored)
        gate.open()
        #expect(try await page.texts == ["1:0", "2:1", "4:0"])
        #expect(try await laboratory.read(writer).texts == ["1:0", "2:1", "4:0"])
        #expect(await laboratory.layout() == "1-2 (3-3) 4-4")
    }

    /// The model's "one filler over the whole hole, base unknown".
    @Test("lets no batch land below what a reader has passed")
    func bigFillerCounterexample() async throws {
        let late = try await laboratory.claim(2)
        try await laboratory.claim(1)
        try await write(1)
        laboratory.time.advance(by: .seconds(6))
        #expect(try await laboratory.read(reader).texts == ["4:0"])
        #expect(await putOutcome(late) == .taken)
        #expect(try await laboratory.read(reader).texts == ["4:0"])
    }

    @Test("closes a hole of many claims so that none of them can land, whatever their sizes", arguments: 1...30)
    func manyClaims(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var claims: [Claim] = []
        var isStored: [Bool] = []
        for _ in 0..<6 {
            claims.append(try await laboratory.claim(1 + random.next(below: 4)))
            isStored.append(random.happens(percent: 30))
            if isStored.last == true { try await put(claims[claims.count - 1]) }
        }
        laboratory.time.advance(by: .seconds(6))
        var next: Offset = 1
        let end = try await laboratory.read(reader, .latest).end
        while next < end { next = try await laboratory.read(reader, .offset(next), limit: 2).next }
        for (claim, isStored) in zip(claims, isStored) where !isStored {
            #expect(await putOutcome(claim) == .taken, "seed \(seed)")
        }
        let kept = zip(claims, isStored).filter { $0.1 }.reduce(0) { $0 + $1.0.range.offsetCount }
        #expect(try await laboratory.read(reader).texts.count == kept, "seed \(seed)")
    }

    @Test("lets two readers close the same hole at once")
    func twoReaders() async throws {
        try await laboratory.claim(2)
        try await laboratory.claim(2)
        try await write(1)
        laboratory.time.advance(by: .seconds(6))
        let second = laboratory.makeLog()
        let gate = laboratory.makeGate()
        let puts = Shared(0)
        store.plan { call in
            guard case .put = call else { return .none }
            return puts.change {
                $0 += 1; return $0 <= 2
            } ? .held(at: gate) : .none
        }
        async let one = laboratory.read(reader)
        async let two = laboratory.read(second)
        try await laboratory.until("both") { gate.arrivalCount == 2 }
        gate.open()
        #expect(try await one == two)
        #expect(try await one.texts == ["5:0"])
    }

    @Test("reads past fillers, and its limit counts messages alone")
    func pastFillers() async throws {
        try await write(2)
        try await laboratory.claim(3)
        try await write(2)
        try await laboratory.claim(1)
        try await write(2)
        laboratory.time.advance(by: .seconds(6))
        while try await laboratory.read(reader).texts.count < 6 {
            _ = try await laboratory.read(reader, .offset(laboratory.read(reader).next))
        }
        #expect(try await laboratory.read(reader, limit: 5).texts == ["1:0", "2:1", "6:0", "7:1", "9:0"])
        #expect(try await laboratory.read(reader, .offset(4), limit: 1).texts == ["6:0"])
        #expect(try await laboratory.read(reader, .offset(8), limit: 9).next == 11)
    }

    @Test("says unavailable when a hole can not be closed, and closes it later")
    func fillFails() async throws {
        try await laboratory.claim(1)
        laboratory.time.advance(by: .seconds(6))
        store.plan { call in
            if case .put = call { .lost } else { .none }
        }
        #expect(await laboratory.code { _ = try await laboratory.read(reader) } == .unavailable)
        store.plan { call in
            if case .put = call { .answerLost } else { .none }
        }
        #expect(await laboratory.code { _ = try await laboratory.read(reader) } == .unavailable)
        #expect(try await laboratory.read(reader).next == 2)
    }

    @Test("tells a trimmed gap from a hole: by the item as it is after the gap showed")
    func trimmedMeanwhile() async throws {
        for _ in 0..<6 { try await write(1) }
        laboratory.time.advance(by: .seconds(60))
        let memory = memory
        let topic = topic
        store.plan { call in
            // Between the list and the get.
            if case .get = call { memory.trim(topic, before: 4) }
            return .none
        }
        do {
            _ = try await laboratory.read(reader)
            Issue.record("read what is trimmed")
        } catch {
            #expect(error.code == .offsetTrimmed)
            #expect(error.context.earliestOffset == 4)
        }
        #expect(store.puts.isEmpty)
        #expect(try await laboratory.read(reader, .offset(4)).texts == ["4:0", "5:0", "6:0"])
    }

    @Test("goes on at the new earliest message when trimming overtakes a reader that asked for the earliest")
    func earliestTrimmedMeanwhile() async throws {
        for _ in 0..<6 { try await write(1) }
        laboratory.time.advance(by: .seconds(60))
        let memory = memory
        let topic = topic
        store.plan { call in
            if case .get = call { memory.trim(topic, before: 4) }
            return .none
        }
        #expect(try await laboratory.read(reader, .earliest).texts == ["4:0", "5:0", "6:0"])
        #expect(store.puts.isEmpty)
    }

    @Test("lists again when a segment has gone between list and get")
    func listsAgain() async throws {
        for _ in 0..<4 { try await write(1) }
        let gets = Shared(0)
        store.plan { call in
            guard case .get = call else { return .none }
            return gets.change {
                $0 += 1; return $0 <= 2
            } ? .missing : .none
        }
        #expect(try await laboratory.read(reader).texts == ["1:0", "2:0", "3:0", "4:0"])
        #expect(store.puts.isEmpty)
        store.plan { call in
            if case .get = call { .missing } else { .none }
        }
        // Gone for ever is no reason to list for ever.
        #expect(await laboratory.code { _ = try await laboratory.read(reader) } == .unavailable)
        #expect(store.puts.isEmpty)
    }

    // MARK: Writing past the log

    private func write(_ count: Int) async throws {
        try await put(try await laboratory.claim(count))
    }

    private func put(_ claim: Claim) async throws {
        try #require(await putOutcome(claim) == .stored)
    }

    /// What becomes of the put of a claim; its payloads are 0, 1, ….
    private func putOutcome(_ claim: Claim) async -> PutOutcome? {
        let messages = (0..<claim.range.offsetCount).map { MessageText("\($0)") }
        guard
            var segment = try? Segment.of(
                messages, first: claim.range.lowerBound.rawValue, at: claim.at.milliseconds)
        else { return nil }
        segment.appendID = laboratory.makeID()
        segment.previousClaim = claim.previousClaim
        return await memory.put(segment, signedAt: claim.at)
    }
}
