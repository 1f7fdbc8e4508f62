@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Appending to a store that fails", .timeLimit(.minutes(2)))
struct LogAppendFaultTests {
    let laboratory: Laboratory
    let topic: TopicName
    var store: FaultInjectingStore { laboratory.store }

    init() throws {
        laboratory = try Laboratory()
        topic = laboratory.topic
    }

    @Test("acknowledges once, and stores once, when the answer to a put is lost")
    func lostAnswerOfPut() async throws {
        let log = laboratory.makeLog()
        failPuts(with: .answerLost, first: 1)
        try await running(log) { () async throws in
            #expect(try await log.append(.of("10", "11"), to: topic).range == 1..<3)
            #expect(try await laboratory.read(log).texts == ["1:10", "2:11"])
        }
        #expect(await laboratory.layout() == "1-2")
        // The second try was the same write: same key, same id.
        #expect(store.puts.count == 2)
        #expect(store.puts[0] == store.puts[1])
        #expect(log.counters.snapshot.reclaims == 0)
    }

    @Test("tries the same write again while the store does not answer", arguments: [StoreFault.lost, .refused()])
    func retries(_ fault: StoreFault) async throws {
        let log = laboratory.makeLog()
        failPuts(with: fault, first: 5)
        try await running(log) { () async throws in
            #expect(try await log.append(.of("10"), to: topic).range == 1..<2)
        }
        #expect(store.puts.count == 6)
        #expect(Set(store.puts.map(\.appendID)).count == 1 && Set(store.puts.map(\.range)).count == 1)
        #expect(await laboratory.layout() == "1-1")
    }

    @Test("finds its own claim again when the answer to it was lost")
    func lostAnswerOfClaim() async throws {
        let log = laboratory.makeLog()
        let tries = Shared(0)
        store.plan { call in
            guard case .claim = call else { return .none }
            // The first finds no topic.
            return tries.change {
                $0 += 1; return $0 == 2
            } ? .answerLost : .none
        }
        try await running(log) { () async throws in
            #expect(try await log.append(.of("10"), to: topic).range == 1..<2)
        }
        #expect(await laboratory.memory.head(of: topic)?.end == 2)
    }

    @Test("leaves a hole, and no second copy, when a lost claim was covered by another one")
    func coveredClaim() async throws {
        let log = laboratory.makeLog()
        let tries = Shared(0)
        _ = await laboratory.memory.create(topic, at: laboratory.time.now())
        let rival = laboratory.makeLog(over: laboratory.memory)
        let gate = laboratory.makeGate()
        store.plan { call in
            guard case .claim = call else { return .none }
            return tries.change {
                $0 += 1; return $0 == 1
            }
                ? StoreFault(after: gate, error: .lostAnswer) : .none
        }
        try await laboratory.running(log, rival) { () async throws in
            try await laboratory.withTimePassing {
                async let receipt = log.append(.of("10"), to: topic)
                try await laboratory.until("the claim") { gate.arrivalCount == 1 }
                #expect(try await rival.append(.of("11"), to: topic).range == 2..<3)
                gate.open()
                #expect(try await receipt.range == 3..<4)
            }
            laboratory.time.advance(by: .seconds(6))
            #expect(try await laboratory.read(log).texts == ["2:11", "3:10"])
        }
        #expect(await laboratory.layout() == "(1-1) 2-2 3-3")
    }

    @Test("closes its claim and says that nothing was written, when the store never takes the put")
    func closesItsClaim() async throws {
        let log = laboratory.makeLog()
        let isFillable: @Sendable (StoreCall) -> StoreFault = { call in
            if case .put(let segment) = call, segment.kind == .messages { .lost } else { .none }
        }
        store.plan(isFillable)
        try await running(log) { () async throws in
            let before = laboratory.time.uptime()
            #expect(await laboratory.code { _ = try await log.append(.of("10", "11"), to: topic) } == .unavailable)
            #expect(laboratory.time.uptime() - before <= log.configuration.appendTimeout)
            #expect(laboratory.time.uptime() - before >= log.configuration.appendTimeout / 2)
            store.plan { _ in .none }
            // Readers need not wait for the hole.
            #expect(try await log.append(.of("12"), to: topic).range == 3..<4)
            #expect(try await laboratory.read(log).texts == ["3:12"])
        }
        #expect(await laboratory.layout() == "(1-2) 3-3")
        #expect(log.counters.snapshot.fillers == 1)
    }

    @Test("never lets a put land that it called not written")
    func lateLanding() async throws {
        let log = laboratory.makeLog()
        store.plan { call in
            if case .put(let segment) = call, segment.kind == .messages { .landingLate } else { .none }
        }
        try await running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("10", "11"), to: topic) } == .unavailable)
            let outcomes = await store.landInFlight()
            #expect(outcomes.count > 3)
            #expect(outcomes.allSatisfy { $0 == .taken })
            #expect(try await laboratory.read(log).texts.isEmpty)
        }
        #expect(await laboratory.layout() == "(1-2)")
    }

    @Test("acknowledges what it finds written when it comes to close its claim")
    func landsBeforeClosing() async throws {
        let log = laboratory.makeLog()
        let gate = laboratory.makeGate()
        store.plan { call in
            guard case .put(let segment) = call else { return .none }
            return segment.kind == .messages ? .landingLate : .held(at: gate)
        }
        try await running(log) { () async throws in
            async let receipt = log.append(.of("10", "11"), to: topic)
            try await laboratory.until("the filler") { gate.arrivalCount == 1 }
            #expect(await store.landInFlight().first == .stored)
            gate.open()
            #expect(try await receipt.range == 1..<3)
            #expect(try await laboratory.read(log).texts == ["1:10", "2:11"])
        }
        #expect(await laboratory.layout() == "1-2")
    }

    @Test(
        "calls the outcome unknown when it can not close its claim either, and only then",
        arguments: [
            (StoreFault.lost, ErrorCode.outcomeUnknown), (.landingLate, .outcomeUnknown), (.refused(), .unavailable),
            (.refused(.outOfSpace), .unavailable), (.refused(.closed), .unavailable),
        ])
    func outcomeUnknown(_ fault: StoreFault, _ expected: ErrorCode) async throws {
        let log = laboratory.makeLog()
        store.plan { call in
            guard case .put = call else { return .none }
            return fault
        }
        try await running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("10"), to: topic) } == expected)
            store.plan { _ in .none }
            #expect(try await log.append(.of("11"), to: topic).range == 2..<3)
        }
    }

    @Test("does not try again what only an operator can change")
    func outOfSpace() async throws {
        let log = laboratory.makeLog()
        failPuts(with: .refused(.outOfSpace), first: .max)
        try await laboratory.running(log) { () async throws in
            // Time stands still: a retry would sleep for ever.
            #expect(await laboratory.code { _ = try await log.append(.of("10"), to: topic) } == .unavailable)
        }
        #expect(store.puts.map(\.kind) == [.messages, .filler])
    }

    @Test("says unavailable when the table can not be reached in time")
    func tableDown() async throws {
        let log = laboratory.makeLog()
        store.plan { call in
            if case .claim = call { .lost } else { .none }
        }
        try await running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("10"), to: topic) } == .unavailable)
        }
        #expect(store.puts.isEmpty)
    }

    @Test("takes a new claim when a reader closed the first, and all readers agree")
    func readerFillsFirst() async throws {
        let log = laboratory.makeLog()
        let reader = laboratory.makeLog(over: laboratory.memory)
        let gate = laboratory.makeGate()
        store.plan { call in
            if case .put(let segment) = call, segment.range.lowerBound == 1 { .held(at: gate) } else { .none }
        }
        try await laboratory.running(log) { () async throws in
            async let receipt = log.append(.of("10", "11"), to: topic)
            try await laboratory.until("the put") { gate.arrivalCount == 1 }
            #expect(try await laboratory.read(reader).next == 1)
            laboratory.time.advance(by: .seconds(5))
            let passed = try await laboratory.read(reader)
            #expect(passed.texts.isEmpty && passed.next == 3)
            gate.open()
            #expect(try await receipt.range == 3..<5)
            #expect(try await laboratory.read(log).texts == ["3:10", "4:11"])
            #expect(try await laboratory.read(reader).texts == ["3:10", "4:11"])
        }
        #expect(await laboratory.layout() == "(1-2) 3-4")
        #expect(log.counters.snapshot.reclaims == 1)
    }

    @Test("gives up in time when readers close every claim before it is written")
    func starvation() async throws {
        let memory = laboratory.memory
        let time = laboratory.time
        let hasty = PutStore(memory) { segment async throws(StoreError) in
            time.advance(by: .seconds(1))
            let filler = Segment.filler(
                segment.topic, segment.range, appendID: AppendID(high: 1, low: 1), timestamp: segment.timestamp)
            _ = await memory.put(filler, signedAt: filler.timestamp)
            // For ever would be too long for a test.
            return time.uptime() < .seconds(60) ? .taken : .stored
        }
        let log = laboratory.makeLog(over: hasty)
        try await laboratory.running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("10"), to: topic) } == .unavailable)
        }
        #expect(log.counters.snapshot.reclaims <= 10)
    }

    @Test("never overwrites, and never acknowledges, where another writer's messages stand")
    func foreignMessages() async throws {
        let log = laboratory.makeLog()
        _ = await laboratory.memory.create(topic, at: laboratory.time.now())
        let foreign = try Segment.of([MessageText("99")], first: 1, at: 1)
        _ = await laboratory.memory.put(foreign, signedAt: foreign.timestamp)
        try await running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("10"), to: topic) } == .unavailable)
            #expect(try await laboratory.read(log).texts == ["1:99"])
        }
        #expect(await laboratory.stored() == [foreign])
    }

    @Test("does not take a filler above for one at its own key, when what stood there is gone")
    func keyGone() async throws {
        let memory = laboratory.memory
        let laboratory = laboratory
        let topic = topic
        let isFirst = Shared(true)
        let store = PutStore(memory) { segment async throws(StoreError) in
            guard segment.range.lowerBound == 1 else { return await memory.put(segment, signedAt: segment.timestamp) }
            if isFirst.change({ isFirst in
                defer { isFirst = false }; return isFirst
            }) {
                // The segment lands, and a filler above it; then it is trimmed away.
                _ = await memory.put(segment, signedAt: segment.timestamp)
                _ = try? await laboratory.claim(1)
                let filler = Segment.filler(topic, 2..<3, appendID: laboratory.makeID(), timestamp: segment.timestamp)
                _ = await memory.put(filler, signedAt: filler.timestamp)
                memory.trim(topic, before: 2)
            }
            return .taken
        }
        let log = laboratory.makeLog(over: store)
        try await running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("10"), to: topic) } == .outcomeUnknown)
        }
        // Written once, and gone; a new claim would have made it a second copy.
        #expect(await memory.head(of: topic)?.end == 3)
    }

    @Test("calls the outcome unknown when it can not read what stands at its key")
    func unreadableKey() async throws {
        let memory = laboratory.memory
        // An adapter that tried again by itself: the segment stands, and the answer is `taken`.
        let retrying = PutStore(memory) { segment async throws(StoreError) in
            _ = await memory.put(segment, signedAt: segment.timestamp)
            return .taken
        }
        let isDown = Shared(true)
        let log = laboratory.makeLog(
            over: FaultInjectingStore(retrying) { call in
                if case .get = call { isDown.value ? .refused() : .none } else { .none }
            })
        try await running(log) { () async throws in
            #expect(await laboratory.code { _ = try await log.append(.of("10"), to: topic) } == .outcomeUnknown)
            isDown.change { $0 = false }
            #expect(try await log.append(.of("11"), to: topic).range == 2..<3)
            #expect(try await laboratory.read(log).texts == ["1:10", "2:11"])
        }
    }

    private func running<Value: Sendable>(
        _ log: Log, _ body: () async throws -> Value
    ) async throws -> Value {
        try await laboratory.running(log) { try await laboratory.withTimePassing(body) }
    }

    /// Lets the first puts fail.
    private func failPuts(with fault: StoreFault, first count: Int) {
        let puts = Shared(0)
        store.plan { call in
            guard case .put(let segment) = call, segment.kind == .messages else { return .none }
            return puts.change {
                $0 += 1; return $0 <= count
            } ? fault : .none
        }
    }
}

/// A store whose puts are the test's own.
struct PutStore: Table, SegmentStore {
    let store: InMemoryStore
    let onPut: @Sendable (Segment) async throws(StoreError) -> PutOutcome
    var keysPerList: Int { store.keysPerList }

    init(_ store: InMemoryStore, onPut: @escaping @Sendable (Segment) async throws(StoreError) -> PutOutcome) {
        self.store = store
        self.onPut = onPut
    }

    func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        try await onPut(segment)
    }

    func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] { await store.get(keys) }

    func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        await store.list(topic, from: from, limit: limit)
    }

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome { await store.claim(request) }

    func head(of topic: TopicName) async throws(StoreError) -> TopicHead? { await store.head(of: topic) }

    func create(_ topic: TopicName, at now: Timestamp) async throws(StoreError) -> Bool {
        await store.create(topic, at: now)
    }

    func topics(prefix: String, after: String, limit: Int) async throws(StoreError) -> [TopicName] {
        await store.topics(prefix: prefix, after: after, limit: limit)
    }
}
