@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("A topic whose counter went back", .timeLimit(.minutes(2)))
struct LogRecoveryTests {
    let laboratory: Laboratory
    let topic: TopicName
    let log: Log
    private let batch: MessageBatch
    var memory: InMemoryStore { laboratory.memory }

    init() throws {
        laboratory = try Laboratory()
        batch = try .of("0")
        topic = laboratory.topic
        log = laboratory.makeLog()
    }

    /// One more process, which knows nothing.
    private func makeStranger() -> Log { laboratory.makeLog() }

    private func loseItem() {
        laboratory.memory.setBack(topic, to: InMemoryStore().backup(of: topic))
    }

    private func waitForRecovery() {
        laboratory.time.advance(by: log.configuration.recoveryWait + .seconds(1))
    }

    private func expectClosed(_ log: Log, sourceLocation: SourceLocation = #_sourceLocation) async {
        do throws(StreamsError) {
            _ = try await log.append(batch, to: topic)
            Issue.record("the topic should be closed", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == .unavailable, sourceLocation: sourceLocation)
            #expect(error.context.retryAfter.map { $0 > .seconds(1) } == true, sourceLocation: sourceLocation)
        }
    }

    @Test("is closed, and goes on above its messages, when its item was lost")
    func lostItem() async throws {
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("1", "2"), to: topic)
            _ = try await log.append(.of("3"), to: topic)
            loseItem()
            let before = await laboratory.layout()
            await expectClosed(log)
            await expectClosed(log)
            #expect(await laboratory.layout() == before)
            #expect(log.counters.snapshot.closures == 1)
            waitForRecovery()
            #expect(try await log.append(.of("4"), to: topic).range == 4..<5)
            #expect(try await laboratory.read(log).texts == ["1:1", "2:2", "3:3", "4:4"])
            #expect(log.counters.snapshot.reopenings == 1)
        }
    }

    @Test("reads from its lowest message on when its item was lost after a trim")
    func lostItemOfATrimmedTopic() async throws {
        try await laboratory.running(log) { () async throws in
            for text in ["1", "2", "3"] { _ = try await log.append(.of(text), to: topic) }
            memory.trim(topic, before: 3)
            loseItem()
            await expectClosed(log)
            waitForRecovery()
            #expect(try await log.append(.of("4"), to: topic).range == 4..<5)
            #expect(try await laboratory.read(log, .earliest).texts == ["3:3", "4:4"])
            #expect(await laboratory.code { _ = try await laboratory.read(log) } == .offsetTrimmed)
        }
    }

    @Test("is closed before a batch lands inside another one, by who stored there")
    func ownMemory() async throws {
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            let old = memory.backup(of: topic)
            _ = try await log.append(.of("2", "3", "4"), to: topic)
            memory.setBack(topic, to: old)
            await expectClosed(log)
            #expect(await laboratory.layout() == "1-1 2-4")
            waitForRecovery()
            #expect(try await log.append(.of("5"), to: topic).range == 5..<6)
        }
    }

    @Test("is closed before a batch lands inside another one, by who read there")
    func readersMemory() async throws {
        let other = makeStranger()
        try await laboratory.running(log, other) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            let old = memory.backup(of: topic)
            _ = try await log.append(.of("2", "3", "4"), to: topic)
            _ = try await laboratory.read(other)
            memory.setBack(topic, to: old)
            await expectClosed(other)
            #expect(await laboratory.layout() == "1-1 2-4")
        }
    }

    @Test("is closed before a batch lands inside another one, by a newcomer, where the item is old")
    func newcomer() async throws {
        let stranger = makeStranger()
        try await laboratory.running(log, stranger) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            let old = memory.backup(of: topic)
            laboratory.time.advance(by: .seconds(3600))
            _ = try await log.append(.of("2", "3", "4"), to: topic)
            memory.setBack(topic, to: old)
            await expectClosed(stranger)
            #expect(await laboratory.layout() == "1-1 2-4")
        }
    }

    @Test("is closed by a writer that finds another's messages at its key")
    func foreignMessages() async throws {
        let stranger = makeStranger()
        try await laboratory.running(log, stranger) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            let old = memory.backup(of: topic)
            _ = try await log.append(.of("2"), to: topic)
            memory.setBack(topic, to: old)
            await expectClosed(stranger)
            #expect(await laboratory.layout() == "1-1 2-2")
            waitForRecovery()
            #expect(try await stranger.append(.of("3"), to: topic).range == 3..<4)
            #expect(try await log.append(.of("4"), to: topic).range == 4..<5)
            #expect(try await laboratory.read(log).texts == ["1:1", "2:2", "3:3", "4:4"])
        }
    }

    @Test("does not tell readers who were further that they are past its end")
    func readerBeyondTheEnd() async throws {
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            let old = memory.backup(of: topic)
            _ = try await log.append(.of("2", "3", "4"), to: topic)
            memory.setBack(topic, to: old)
            #expect(await laboratory.code { _ = try await laboratory.read(log, .offset(5)) } == .unavailable)
            await expectClosed(log)
            #expect(await laboratory.code { _ = try await laboratory.read(log, .offset(5)) } == .unavailable)
            waitForRecovery()
            _ = try await log.append(.of("5"), to: topic)
            #expect(try await laboratory.read(log, .offset(5)).texts == ["5:5"])
        }
    }

    @Test("stays open when two create it and the second one's list shows the first one's messages")
    func twoFirstAppends() async throws {
        let slow = makeStranger()
        let gate = laboratory.makeGate()
        let lists = Shared(0)
        laboratory.store.plan { call in
            guard case .list = call else { return .none }
            return lists.change {
                $0 += 1; return $0 == 1
            } ? .held(at: gate) : .none
        }
        try await laboratory.running(log, slow) { () async throws in
            async let late = slow.append(.of("2"), to: topic)
            try await laboratory.until("the list") { gate.arrivalCount == 1 }
            #expect(try await log.append(.of("1"), to: topic).range == 1..<2)
            gate.open()
            #expect(try await late.range == 2..<3)
        }
        #expect(slow.counters.snapshot.closures == 0)
    }

    @Test("stays open when readers have closed a newcomer's claim")
    func fillerAtANewcomersClaim() async throws {
        let stranger = makeStranger()
        try await laboratory.running(log, stranger) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            laboratory.time.advance(by: .seconds(3600))
            let filler = Segment.filler(
                topic, 2..<3, appendID: laboratory.makeID(), timestamp: laboratory.time.now())
            let gate = laboratory.makeGate()
            laboratory.store.plan { call in
                if case .put = call { .held(at: gate) } else { .none }
            }
            async let append = stranger.append(.of("2"), to: topic)
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            _ = await memory.put(filler, signedAt: laboratory.time.now())
            gate.open()
            #expect(try await append.range == 3..<4)
            #expect(await laboratory.layout() == "1-1 (2-2) 3-3")
        }
        #expect(stranger.counters.snapshot.closures == 0)
    }

    @Test("answers no reader that asks for its end until it is recovered")
    func endIsUnknown() async throws {
        try await laboratory.running(log) { () async throws in
            _ = try await log.append(.of("1", "2"), to: topic)
            loseItem()
            for start in [ReadRequest.Start.earliest, .latest, .offset(1), .since(Timestamp(milliseconds: 0))] {
                #expect(await laboratory.code { _ = try await laboratory.read(log, start) } == .unavailable)
            }
            #expect(await laboratory.code { _ = try await log.info(of: topic) } == .unavailable)
            await expectClosed(log)
            let stranger = makeStranger()
            for start in [ReadRequest.Start.earliest, .latest, .offset(1), .offset(3)] {
                #expect(await laboratory.code { _ = try await laboratory.read(stranger, start) } == .unavailable)
            }
        }
    }

    @Test("passes what is absent below the recovered end at once, and fills none of it one by one")
    func absentAfterRecovery() async throws {
        try await laboratory.running(log) { () async throws in
            for text in ["1", "2", "3", "4"] { _ = try await log.append(.of(text), to: topic) }
            // Offsets far above, as after a long life; the ones between have expired.
            let message = try #require(await laboratory.stored().last)
            for last in [500, 900] as [Offset] {
                var far = message
                far.range = last..<last.advanced(by: 1)
                _ = await memory.put(far, signedAt: laboratory.time.now())
            }
            loseItem()
            await expectClosed(log)
            waitForRecovery()
            #expect(try await log.append(.of("5"), to: topic).range == 901..<902)
            laboratory.time.advance(by: .seconds(6))
            laboratory.store.forgetCalls()
            var next = Offset.first
            var texts: [String] = []
            while next < 902 {
                let page = try await laboratory.read(log, .offset(next))
                texts += page.texts
                next = page.next
            }
            #expect(texts.count == 7)
            #expect(laboratory.store.puts.map(\.shape) == ["(5-499)", "(501-899)"])
        }
    }

    @Test("costs a list only where the newest claim is old")
    func listsRarely() async throws {
        func lists() -> Int { laboratory.store.calls.filter { $0.name == "list" }.count }
        let stranger = makeStranger()
        let late = makeStranger()
        try await laboratory.running(log, stranger, late) { () async throws in
            _ = try await log.append(.of("1"), to: topic)
            // To create it.
            #expect(lists() == 1)
            _ = try await log.append(.of("2"), to: topic)
            _ = try await stranger.append(.of("3"), to: topic)
            laboratory.time.advance(by: .seconds(3600))
            #expect(lists() == 1)
            _ = try await log.append(.of("4"), to: topic)
            _ = try await late.append(.of("5"), to: topic)
            #expect(lists() == 2)
            laboratory.time.advance(by: .seconds(3600))
            _ = try await late.append(.of("6"), to: topic)
            _ = try await log.append(.of("7"), to: topic)
            #expect(lists() == 3)
            #expect(log.counters.snapshot.closures + late.counters.snapshot.closures == 0)
        }
    }

    @Test("is recovered above its highest message, wherever that is", arguments: 0..<40)
    func highestMessage(seed: Int) async throws {
        var random = SplitMix64(seed: UInt64(seed))
        let filler = { (range: Range<Offset>) in
            Segment.filler(topic, range, appendID: laboratory.makeID(), timestamp: laboratory.time.now())
        }
        var next = Int64.random(in: 1...(seed % 2 == 0 ? 3 : 1_000_000_000_000), using: &random)
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            let end = next + Int64.random(in: 1...(seed % 3 == 0 ? 5 : 100_000), using: &random)
            let range = try #require(Offset(next))..<(try #require(Offset(end)))
            _ = await memory.put(filler(range), signedAt: laboratory.time.now())
            next = end + (seed % 5 == 0 ? Int64.random(in: 0...1000, using: &random) : 0)
        }
        let highest = try #require(await laboratory.stored().last?.range.last)
        try await laboratory.running(log) { () async throws in
            await expectClosed(log)
            waitForRecovery()
            laboratory.store.forgetCalls()
            #expect(try await log.append(.of("1"), to: topic).range.lowerBound == highest.advanced(by: 1))
            #expect(laboratory.store.calls.filter { $0.name == "list" }.count < 130)
        }
    }
}
