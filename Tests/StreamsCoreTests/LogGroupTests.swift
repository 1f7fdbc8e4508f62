import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("A log with consumer groups")
struct LogGroupTests {
    private let laboratory: Laboratory
    private let log: Log
    private let key: GroupKey

    init() throws {
        laboratory = try Laboratory()
        log = laboratory.makeLog()
        key = GroupKey(topic: laboratory.topic, name: try GroupName("g"))
    }

    private func batch(_ texts: [String]) throws -> MessageBatch { try .of(texts.map { MessageText($0) }) }

    /// Runs the body over a topic that holds these messages.
    private func over(_ texts: [String], _ body: () async throws -> Void) async throws {
        try await laboratory.running(log) {
            _ = try await log.append(batch(texts), to: laboratory.topic)
            laboratory.store.forgetCalls()
            try await body()
        }
    }

    private func receive(
        _ consumer: String = "a", limit: Int = 10, wait: Duration = .zero, lease: Duration = .seconds(30)
    ) async throws(StreamsError) -> Received {
        try await log.receive(
            ReceiveRequest(
                group: key, consumer: consumer, limit: limit, bytesMaximum: .max, wait: wait, lease: lease))
    }

    private func ack(_ offset: Offset, _ received: Received, by consumer: String = "a") async throws(StreamsError) {
        _ = try await log.acknowledge(key, below: offset, by: consumer, in: received.generation)
    }

    private var committed: Offset? {
        get async { await laboratory.memory.group(key)?.committed }
    }

    @Test("hands out what is not committed, in order, and goes on from there")
    func goesOn() async throws {
        try await over(["1", "2", "3"]) {
            let first = try await receive(limit: 2)
            #expect(first.page.texts == ["1:1", "2:2"])
            let second = try await receive(limit: 2)
            #expect(second.page.texts == ["3:3"])
            #expect(second.generation == first.generation)
            try await ack(4, second)
            #expect(await committed == 4)
            #expect(try await receive().page.texts == [])
        }
    }

    @Test("refuses another consumer until the lease ends, and then hands out what is not committed again")
    func takesOver() async throws {
        try await over(["1", "2", "3"]) {
            let first = try await receive("a")
            try await ack(2, first)
            #expect(await laboratory.code { _ = try await receive("b") } == .leaseHeld)
            laboratory.time.advance(by: .seconds(30))
            let second = try await receive("b")
            #expect(second.page.texts == ["2:2", "3:3"])
            #expect(second.generation == first.generation.next)
            #expect(await laboratory.code { try await ack(3, first) } == .leaseLost)
            #expect(await committed == 2)
            try await ack(4, second, by: "b")
        }
    }

    @Test("costs one read of the group, the read of the messages, and one write; a commit costs one write alone")
    func costs() async throws {
        try await over(["1"]) {
            _ = try await receive()
            laboratory.store.forgetCalls()
            _ = try await log.append(batch(["2"]), to: laboratory.topic)
            laboratory.store.forgetCalls()
            let received = try await receive()
            #expect(laboratory.store.calls.map(\.name) == ["group", "head", "get", "storeGroup"])
            laboratory.store.forgetCalls()
            try await ack(3, received)
            #expect(laboratory.store.calls.map(\.name) == ["commit"])
        }
    }

    @Test("hands nothing out where the write that takes the lease has no answer")
    func unknownOutcome() async throws {
        try await over(["1"]) {
            for fault in [StoreFault.lost, .answerLost] {
                laboratory.store.plan { if case .storeGroup = $0 { fault } else { .none } }
                #expect(await laboratory.code { _ = try await receive() } == .outcomeUnknown)
            }
            laboratory.store.plan { _ in .none }
            // The lost answer was that of a lease: its holder gives it up, and gets everything again.
            let group = try #require(await laboratory.memory.group(key))
            #expect(group.delivered == 2)
            _ = try await log.release(key, by: "a", in: group.generation)
            #expect(try await receive().page.texts == ["1:1"])
        }
    }

    @Test("takes a commit for done whose first answer was lost")
    func repeatsCommit() async throws {
        try await over(["1", "2"]) {
            let received = try await receive()
            laboratory.store.plan { if case .commit = $0 { .answerLost } else { .none } }
            #expect(await laboratory.code { try await ack(3, received) } == .outcomeUnknown)
            laboratory.store.plan { _ in .none }
            try await ack(3, received)
            #expect(await committed == 3)
        }
    }

    @Test("holds the lease while a consumer waits, and hands the message out as it comes")
    func waits() async throws {
        try await over(["1"]) {
            try await ack(2, try await receive())
            async let waiting = receive("a", wait: .seconds(20), lease: .seconds(1))
            try await laboratory.until("a wait") { laboratory.time.sleeperCount > 0 }
            laboratory.time.advance(by: .seconds(5))
            #expect(await laboratory.code { _ = try await receive("b") } == .leaseHeld)
            _ = try await log.append(batch(["2"]), to: laboratory.topic)
            let received = try await waiting
            #expect(received.page.texts == ["2:2"])
            #expect(received.leaseExpiresAt == laboratory.time.now().advanced(by: .seconds(1)))
            try await ack(3, received)
        }
    }

    @Test("tells a consumer that waited when the lease went to somebody else meanwhile")
    func losesWhileWaiting() async throws {
        try await over(["1"]) {
            try await ack(2, try await receive())
            async let waiting = receive("a", wait: .seconds(20))
            try await laboratory.until("a wait") { laboratory.time.sleeperCount > 0 }
            _ = try await log.seek(key, to: .earliest)
            let other = try await receive("b")
            #expect(other.page.texts == ["1:1"])
            _ = try await log.append(batch(["2"]), to: laboratory.topic)
            do {
                _ = try await waiting
                Issue.record("two consumers have the lease")
            } catch let error as StreamsError {
                #expect(error.code == .leaseLost)
            }
            #expect(await laboratory.memory.group(key)?.lease?.consumer == "b")
        }
    }

    @Test("lets a consumer commit while it waits for more")
    func commitsWhileWaiting() async throws {
        try await over(["1", "2"]) {
            let first = try await receive()
            async let waiting = receive("a", wait: .seconds(20))
            try await laboratory.until("a wait") { laboratory.time.sleeperCount > 0 }
            try await ack(3, first)
            _ = try await log.append(batch(["3"]), to: laboratory.topic)
            #expect(try await waiting.page.texts == ["3:3"])
            #expect(await committed == 3)
        }
    }

    @Test("says that what a group has to read is trimmed, and goes on after a seek")
    func trimmed() async throws {
        try await over(["1", "2", "3"]) {
            _ = try await log.release(key, by: "a", in: try await receive(limit: 1).generation)
            laboratory.memory.trim(laboratory.topic, before: 3)
            let before = await laboratory.memory.group(key)
            #expect(await laboratory.code { _ = try await receive() } == .offsetTrimmed)
            #expect(await laboratory.memory.group(key) == before)
            #expect(try await log.seek(key, to: .earliest).committed == 3)
            #expect(try await receive().page.texts == ["3:3"])
        }
    }

    @Test("takes the groups of a topic that was made again for none")
    func topicMadeAgain() async throws {
        try await over(["1", "2"]) {
            try await ack(3, try await receive())
            let backup = InMemoryStore().backup(of: laboratory.topic)
            laboratory.memory.setBack(laboratory.topic, to: backup)
            laboratory.time.advance(by: .seconds(1))
            let other = laboratory.makeLog(over: laboratory.memory) { $0.holeTimeout = .zero }
            // Its messages are gone with it.
            let memory = laboratory.memory
            _ = await memory.create(laboratory.topic, at: laboratory.time.now())
            #expect(await laboratory.code { _ = try await other.groupStatus(key) } == .groupNotFound)
            #expect(await laboratory.code { _ = try await other.seek(key, to: .earliest) } == .groupNotFound)
            #expect(try await other.groups(of: laboratory.topic, after: "", limit: 10).groups == [])
            let (group, isNew) = try await other.createGroup(key, at: .latest)
            #expect(isNew)
            #expect(group.committed == 1)
        }
    }

    @Test("hands nothing of a topic that was made again to who waited for more of the one before")
    func topicMadeAgainWhileWaiting() async throws {
        try await over(["1", "2"]) {
            try await ack(3, try await receive())
            async let waiting = receive("a", wait: .seconds(20))
            try await laboratory.until("a wait") { laboratory.time.sleeperCount > 0 }
            // Without a word to its groups, as another process that dies would.
            let createdAt = try await log.info(of: laboratory.topic).createdAt
            _ = try await laboratory.memory.delete(
                laboratory.topic, createdAt: createdAt, at: laboratory.time.now().advanced(by: .milliseconds(1)))
            #expect(await laboratory.code { _ = try await receive("b") } == .topicNotFound)
            laboratory.time.advance(by: .seconds(1))
            _ = try await log.append(batch(["3"]), to: laboratory.topic)
            do {
                _ = try await waiting
                Issue.record("a group of a deleted topic is gone on with")
            } catch let error as StreamsError {
                #expect(error.code == .leaseLost)
            }
            #expect(await committed == 3)
            let received = try await receive("a")
            #expect(received.page.texts == ["3:3"])
            #expect(received.from == 3)
        }
    }

    @Test("removes a group with its topic though its consumer commits at the same time")
    func removesWhileCommitting() async throws {
        try await over(["1"]) {
            let received = try await receive()
            let gate = laboratory.makeGate()
            laboratory.store.plan { if case .storeGroup = $0 { .held(at: gate) } else { .none } }
            async let deleting: Void = log.delete(laboratory.topic)
            try await laboratory.until("the removal is on its way") { gate.arrivalCount == 1 }
            try await ack(2, received)
            gate.open()
            try await deleting
            #expect(await laboratory.memory.group(key) == nil)
        }
    }

    @Test("tells how far behind a group is, in messages and in time")
    func lag() async throws {
        try await over(["1", "2", "3"]) {
            try await ack(2, try await receive())
            laboratory.time.advance(by: .seconds(90))
            let status = try await log.groupStatus(key)
            #expect(status.lag == 2)
            #expect(status.lagTime == .seconds(90))
            _ = try await log.seek(key, to: .latest)
            let done = try await log.groupStatus(key)
            #expect(done.lag == 0)
            #expect(done.lagTime == .zero)
        }
    }

    @Test("says what is missing: the topic, or the group")
    func missing() async throws {
        try await over(["1"]) {
            let absent = GroupKey(topic: try TopicName("none"), name: key.name)
            #expect(await laboratory.code { _ = try await log.groupStatus(absent) } == .topicNotFound)
            #expect(await laboratory.code { _ = try await log.groupStatus(key) } == .groupNotFound)
            let generation = Generation.none
            for key in [absent, key] {
                let code: ErrorCode = key == absent ? .topicNotFound : .groupNotFound
                #expect(
                    await laboratory.code {
                        _ = try await log.acknowledge(key, below: 1, by: "a", in: generation)
                    } == code)
                #expect(await laboratory.code { try await log.removeGroup(key) } == code)
            }
            let request = ReceiveRequest(group: absent, consumer: "a", limit: 1, bytesMaximum: 1)
            #expect(await laboratory.code { _ = try await log.receive(request) } == .topicNotFound)
        }
    }

    @Test("removes the groups of a topic")
    func removesAll() async throws {
        try await over(["1"]) {
            for number in 1...3 {
                let key = GroupKey(topic: laboratory.topic, name: try GroupName("g\(number)"))
                _ = try await log.createGroup(key, at: .earliest)
            }
            try await log.removeGroups(of: laboratory.topic, createdAt: Timestamp(milliseconds: .max))
            #expect(try await log.groups(of: laboratory.topic, after: "", limit: 10).groups == [])
        }
    }
}
