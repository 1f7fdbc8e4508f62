import StreamsCore
import StreamsModel
import Testing

/// The decisions of a group, without a store.
@Suite("A consumer group")
struct GroupTransitionTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)
    private let version = AppendID(high: 1, low: 2)

    private func group(lease: GroupLease? = nil) throws -> Group {
        Group(
            key: GroupKey(topic: try TopicName("t"), name: try GroupName("g")), topicCreatedAt: now, committed: 5,
            delivered: 8, generation: try #require(Generation(3)), lease: lease, createdAt: now,
            version: AppendID(high: 0, low: 1))
    }

    private func lease(of consumer: String = "a", for seconds: Int = 30) -> GroupLease {
        GroupLease(consumer: consumer, expiresAt: now.advanced(by: .seconds(seconds)), length: .seconds(30))
    }

    private func commit(
        _ offset: Offset, by consumer: String = "a", in generation: Int64 = 3, after seconds: Int = 0
    ) throws -> CommitRequest {
        CommitRequest(
            key: try group().key, consumer: consumer, generation: try #require(Generation(generation)),
            offset: offset, at: now.advanced(by: .seconds(seconds)), version: version)
    }

    @Test("gives a turn to the first who asks, from the committed offset, in a new generation")
    func free() throws {
        let turn = try group().turn(of: "a", at: now)
        #expect(turn.generation == Generation(4))
        #expect(turn.position == 5)
        #expect(turn.isNew)
    }

    @Test("lets its holder go on after what it was handed")
    func goesOn() throws {
        let turn = try group(lease: lease()).turn(of: "a", at: now.advanced(by: .milliseconds(29_999)))
        #expect(turn.generation == Generation(3))
        #expect(turn.position == 8)
        #expect(!turn.isNew)
    }

    @Test("begins again for a holder that does not know of its lease, as after an answer that was lost")
    func knowsNothing() throws {
        let group = try group(lease: lease())
        let turn = try group.turn(of: "a", knowing: Generation.none, at: now)
        #expect(turn.generation == Generation(4))
        #expect(turn.position == 5)
        #expect(try group.turn(of: "a", knowing: group.generation, at: now).position == 8)
    }

    @Test("tells others until when it is held")
    func held() throws {
        let group = try group(lease: lease())
        #expect(throws: GroupRefusal.leaseHeld(until: now.advanced(by: .seconds(30)))) {
            try group.turn(of: "b", at: now.advanced(by: .milliseconds(29_999)))
        }
    }

    @Test("begins again at the committed offset when a lease has ended, also for its holder", arguments: ["a", "b"])
    func ended(consumer: String) throws {
        let turn = try group(lease: lease()).turn(of: consumer, at: now.advanced(by: .seconds(30)))
        #expect(turn.generation == Generation(4))
        #expect(turn.position == 5)
        #expect(turn.isNew)
    }

    @Test("keeps what it handed out, and the lease with it")
    func handsOut() throws {
        let before = try group()
        let turn = try before.turn(of: "b", at: now)
        let after = before.handingOut(to: 12, in: turn, under: lease(of: "b"), version: version)
        #expect(after.committed == 5)
        #expect(after.delivered == 12)
        #expect(after.generation == Generation(4))
        #expect(after.lease == lease(of: "b"))
        #expect(after.version == version)
    }

    @Test("commits anything from the committed offset to what was delivered, and renews the lease", arguments: 5...8)
    func commits(offset: Int) throws {
        let after = try group(lease: lease()).committing(commit(Offset(integerLiteral: offset), after: 20))
        #expect(after.committed == Offset(integerLiteral: offset))
        #expect(after.delivered == 8)
        #expect(after.lease == lease(for: 50))
    }

    @Test("commits under a lease whose time is up as long as nobody took another")
    func commitsLate() throws {
        #expect(try group(lease: lease()).committing(commit(6, after: 3600)).committed == 6)
    }

    @Test("commits nothing below what is committed, nor above what was delivered")
    func refusesOffsets() throws {
        let group = try group(lease: lease())
        #expect(throws: GroupRefusal.belowCommitted(5)) { try group.committing(commit(4)) }
        #expect(throws: GroupRefusal.notDelivered(8)) { try group.committing(commit(9)) }
    }

    @Test("commits nothing for others, in other generations, or without a lease")
    func refusesStrangers() throws {
        let leased = try group(lease: lease())
        #expect(throws: GroupRefusal.leaseLost) { try leased.committing(commit(6, by: "b")) }
        #expect(throws: GroupRefusal.leaseLost) { try leased.committing(commit(6, in: 2)) }
        #expect(throws: GroupRefusal.leaseLost) { try leased.committing(commit(6, in: 4)) }
        #expect(throws: GroupRefusal.leaseLost) { try group().committing(commit(6)) }
    }

    @Test("is free after a release, which may be repeated, and not committed to any more")
    func releases() throws {
        let generation = try #require(Generation(3))
        let free = try #require(try group(lease: lease()).releasing(by: "a", in: generation, version: version))
        #expect(free.lease == nil)
        #expect(free.generation == generation)
        #expect(try free.releasing(by: "a", in: generation, version: version) == nil)
        #expect(throws: GroupRefusal.leaseLost) { try free.committing(commit(6)) }
        #expect(try free.turn(of: "b", at: now).position == 5)
    }

    @Test("is released only by its holder in its generation")
    func refusesReleases() throws {
        let group = try group(lease: lease())
        let generation = try #require(Generation(3))
        #expect(throws: GroupRefusal.leaseLost) { try group.releasing(by: "b", in: generation, version: version) }
        #expect(throws: GroupRefusal.leaseLost) { try group.releasing(by: "a", in: .none, version: version) }
    }

    @Test("goes where it is set to, and the lease ends")
    func seeks() throws {
        let after = try group(lease: lease()).seeking(to: 2, version: version)
        #expect(after.committed == 2)
        #expect(after.delivered == 2)
        #expect(after.generation == Generation(4))
        #expect(after.lease == nil)
        #expect(throws: GroupRefusal.leaseLost) { try after.committing(commit(2)) }
    }
}
