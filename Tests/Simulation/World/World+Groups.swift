import StreamsCore
import StreamsModel

/// What happens in a world with a consumer group.
extension World {
    /// Consumes as one of the group, by the rules for consumers: who has no answer to a receive begins again, under
    /// another name or by naming no generation of its own.
    func consume(_ index: Int, _ plan: GroupPlan) async {
        var life = 0
        var consumer = Consumer(name: "consumer \(index)", generation: nil, world: self)
        let saysGeneration = choices.happens(permille: 500)
        if saysGeneration { consumer.generation = Generation.none }
        func beginAgain(asAnother: Bool) {
            if saysGeneration { consumer.generation = Generation.none }
            guard asAnother || !saysGeneration else { return }
            life += 1
            consumer.name = "consumer \(index).\(life)"
        }
        for _ in 0..<plan.receivesPerConsumer {
            await sleep(choices.microseconds(0...choices.one(of: [100_000, 3_000_000])))
            guard let process = await process(preferring: index) else { return }
            if choices.happens(permille: plan.seekPermille) { await consumer.seek(to: drawPlace(), by: process) }
            let outcome = await consumer.receive(
                limit: choices.one(of: [1, 2, 1000]),
                wait: choices.one(of: [.zero, .zero, .milliseconds(500), .seconds(3)]),
                leaseSeconds: plan.leaseSeconds, by: process)
            switch outcome {
            case .refused: await sleep(choices.microseconds(0...Int64(plan.leaseSeconds) * 1_000_000))
            case .unknown: beginAgain(asAnother: false)
            case .received(let received):
                if saysGeneration { consumer.generation = received.generation }
                if choices.happens(permille: plan.pausePermille) {
                    await sleep(choices.microseconds(0...Int64(plan.leaseSeconds) * 4_000_000))
                }
                if choices.happens(permille: plan.deathPermille) {
                    beginAgain(asAnother: true)
                } else if await !finish(received, as: consumer, plan, place: index) {
                    beginAgain(asAnother: false)
                }
            }
        }
    }

    /// Commits all or a part of what was received, perhaps twice; returns whether the lease is still the consumer's.
    private func finish(_ received: Received, as consumer: Consumer, _ plan: GroupPlan, place: Int) async -> Bool {
        guard let process = await process(preferring: place) else { return true }
        let count = received.from.distance(to: received.page.next)
        guard count > 0 else { return true }
        let offset = received.from.advanced(by: choices.happens(permille: 700) ? count : 1 + choices.below(count))
        guard await consumer.ack(offset, in: received.generation, by: process) else { return false }
        if choices.happens(permille: 100), await !consumer.ack(offset, in: received.generation, by: process) {
            return false
        }
        if choices.happens(permille: plan.releasePermille) {
            await consumer.release(received.generation, by: process)
            return false
        }
        return true
    }

    /// Tells of a consumer that waits for messages of a topic which is another one when they come; the groups of the
    /// first one are left, as who deleted it died.
    func tellOfGroup(
        _ client: Client, _ first: SimulatedProcess, _ second: SimulatedProcess, _ third: SimulatedProcess
    ) async {
        let consumer = Consumer(name: "consumer", generation: nil, world: self)
        func receive(wait: Duration) async -> Received? {
            let outcome = await consumer.receive(limit: 1000, wait: wait, leaseSeconds: 30, by: first)
            guard case .received(let received) = outcome else { return nil }
            _ = await consumer.ack(received.page.next, in: received.generation, by: first)
            return received
        }
        await client.append(recorder.newMessages(1 + choices.below(3)), by: first)
        guard await receive(wait: .zero) != nil else { return }
        async let waited = receive(wait: .seconds(20))
        await sleep(choices.microseconds(200_000...4_000_000))
        network.interfere(.death) { process, request in process.name == second.name && request.name == "Query" }
        await Client("changer", world: self).delete(by: second)
        await appendUntilOpen(client, third, count: 1 + choices.below(3))
        _ = await waited
        await pass(minutes: 1)
    }

    private func drawPlace() -> GroupStart {
        switch choices.below(3) {
        case 0: .earliest
        case 1: .latest
        default: Offset(Int64(1 + choices.below(6))).map { .offset($0) } ?? .earliest
        }
    }

    /// After the last fault: one more consumer gets to the end, and commits it.
    func finishGroup(at place: Place) async {
        guard let process = place.process else { return }
        let consumer = Consumer(name: "last consumer", generation: nil, world: self)
        for _ in 0..<200 {
            switch await consumer.receive(limit: 1000, wait: .zero, leaseSeconds: 30, by: process) {
            case .received(let received):
                _ = await consumer.ack(received.page.next, in: received.generation, by: process)
                guard received.page.next == received.page.end else { continue }
                return recorder.change { $0.groupIsFinished = true }
            case .refused, .unknown: await sleep(10_000_000)
            }
        }
        recorder.surprise("the group does not get to the end")
    }
}
