import StreamsCore
import StreamsModel

extension World {
    /// Everything that happens: work under faults, then calm, in which all must come to rest.
    func story() async {
        await withDiscardingTaskGroup { group in
            for place in places { group.addTask { await self.supervise(place) } }
            if scenario.hasWeather { group.addTask { await self.weather() } }
            if let story = scenario.story { await tell(story) } else { await work() }
            network.calm()
            await rest()
            isOver.set()
            for place in places { place.process?.log.close() }
        }
    }

    /// Runs one process after another at a place: a new one a while after the death of the last.
    func supervise(_ place: Place) async {
        while !isOver.isSet {
            guard let process = makeProcess(place.nextName()) else { return }
            trace.note { "\(process.name) starts" }
            place.set(process)
            await withTaskExecutorPreference(process.executor) { await process.log.run() }
            trace.note { "\(process.name) has ended" }
            guard !isOver.isSet else { return }
            await sleep(choices.microseconds(0...3_000_000))
        }
    }

    func makeProcess(_ name: String) -> SimulatedProcess? {
        var configuration = LogConfiguration.shared
        configuration.holeTimeout = scenario.holeTimeout
        configuration.appendTimeout = scenario.appendTimeout
        // Keys are repeated for as long as a world lasts.
        configuration.idempotencyExpiry = .seconds(60 * 86_400)
        // Half of all requests would be idle polls otherwise.
        configuration.tailPollInterval = .milliseconds(200)...(.seconds(5))
        do {
            return try SimulatedProcess(
                name: name, network: network, clockOffset: drawClockOffset(), retentionDays: scenario.retentionDays,
                hasCache: scenario.hasCaches,
                configuration: configuration, makeAppendID: { [appendIDs] in appendIDs.next() })
        } catch {
            recorder.surprise("a process does not start: \(error)")
            return nil
        }
    }

    /// By how many milliseconds a clock is wrong: most are right.
    func drawClockOffset() -> Int64 {
        guard network.meets(.wrongClock) else { return 0 }
        return choices.one(of: [-1, 1]) * choices.microseconds(1...choices.one(of: [40_000, 1_000_000, 20_000_000]))
    }

    /// Waits, by the world's own time.
    func sleep(_ microseconds: Int64) async {
        let sleeper = OneShot<Void>()
        scheduler.after(microseconds) { sleeper.resolve(()) }
        await sleeper.value()
    }

    // MARK: Work

    private func work() async {
        await withDiscardingTaskGroup { group in
            for maintainer in scenario.maintainers.indices { group.addTask { await self.maintain(maintainer) } }
            for reader in 0..<scenario.readerCount { group.addTask { await self.follow(reader) } }
            if let plan = scenario.groups {
                for consumer in 0..<plan.consumerCount { group.addTask { await self.consume(consumer, plan) } }
            }
            await withDiscardingTaskGroup { writers in
                for writer in 0..<scenario.writerCount { writers.addTask { await self.writeAsDrawn(writer) } }
                if scenario.changeCount > 0 { writers.addTask { await self.changeTopics() } }
            }
            areWritersDone.set()
        }
    }

    func write(_ writer: Int) async {
        let client = Client("writer \(writer)", world: self)
        for _ in 0..<scenario.appendsPerWriter {
            await think()
            guard let process = await process(preferring: writer) else { return }
            let retryAfter = await client.append(
                recorder.newMessages(1 + choices.below(scenario.batchMaximum)), by: process)
            if let retryAfter, retryAfter > .seconds(60), choices.happens(permille: 700) {
                await sleep(retryAfter.wholeMicroseconds)
            }
        }
    }

    private func follow(_ reader: Int) async {
        let client = Client("reader \(reader)", world: self)
        var position: Int64 = 1
        var highest: Int64 = 1
        var boredom: Int64 = 1
        while !areWritersDone.isSet {
            await think()
            // Who has waited in vain for long comes by ever more rarely: worlds may last for days.
            if boredom > 16 { await sleep(min(boredom, 8192) * 1_000_000) }
            guard let process = await process(preferring: reader + 1) else { return }
            let wait: Duration =
                choices.happens(permille: scenario.patiencePermille)
                ? .seconds(60) : choices.one(of: [.zero, .milliseconds(500), .seconds(3)])
            let limit = choices.one(of: [1, 2, 1000])
            if choices.happens(permille: scenario.rereadPermille) { position = 1 }
            let next = await client.read(from: position, limit: limit, wait: wait, by: process) ?? position
            // What it reads again is no news.
            if next > highest { boredom = 1 } else if next == position { boredom = min(boredom * 2, 16_384) }
            position = next
            highest = max(highest, next)
        }
    }

    func think() async {
        if choices.happens(permille: scenario.absencePermille) {
            await sleep(choices.microseconds(60_000_000...choices.one(of: [3_600_000_000, 129_600_000_000])))
        } else {
            await sleep(choices.microseconds(scenario.thinking))
        }
    }

    /// A process that runs, in most cases the one at the client's own place; waits for one if need be.
    func process(preferring place: Int) async -> SimulatedProcess? {
        while !isCalm {
            let index = choices.happens(permille: 800) ? place % places.count : choices.below(places.count)
            if let process = places[index].process { return process }
            await sleep(200_000)
        }
        return nil
    }

    // MARK: Rest

    /// After the last fault: a reader gets to the end, an append succeeds, and when nothing is on its way any more a
    /// last reader finds everything as all others did.
    private func rest() async {
        await withDiscardingTaskGroup { group in
            let place = Place(number: 24)
            group.addTask { await self.supervise(place) }
            await sleep(1_000_000)
            let client = Client("last reader", world: self)
            await readAll(client, at: place, within: scenario.holeTimeout + .seconds(60))
            await appendAtLast(client, at: place)
            network.gate?.arriveAll()
            for lifetime in 0..<500 where network.writesInFlight > 0 || lifetime == 0 { await sleep(1_800_000_000) }
            if scenario.retentionDays != nil { expire(permille: 1000) }
            await readAll(client, at: place, within: scenario.holeTimeout + .seconds(60))
            if scenario.changeCount > 0 { await restOfChanges(at: place) }
            if scenario.groups != nil { await finishGroup(at: place) }
            if scenario.changeCount > 0, !scenario.maintainers.isEmpty { await verify(at: place) }
            recorder.noteStoredState(s3, mayOverlap: mayOverlap)
            isOver.set()
            place.process?.log.close()
        }
    }

    func readAll(_ client: Client, at place: Place, within time: Duration) async {
        guard let process = place.process else { return }
        let begin = scheduler.now
        var position: Int64 = 1
        var end = Int64.max
        while position < end {
            let from = position
            let page = await client.page(from: from, limit: 1000, wait: .milliseconds(200), by: process)
            position = page?.next ?? from
            end = page?.topicEnd ?? end
            guard position < end else { return }
            // An item that was lost takes the time of its recovery.
            let limit = time + (wasItemLost ? .seconds(20 * 60) : .zero)
            guard scheduler.now - begin < limit.wholeMicroseconds else {
                return recorder.surprise("\(client.name) did not get past offset \(position) of \(end)")
            }
            guard page == nil else { continue }
            // What makes a topic open again is an append.
            let retryAfter =
                wasItemLost ? await client.append(recorder.newMessages(1), by: process) : .seconds(1)
            await sleep(retryAfter?.wholeMicroseconds ?? 0)
        }
    }

    private func appendAtLast(_ client: Client, at place: Place) async {
        guard let process = place.process else { return }
        for attempt in 0..<30 {
            var wish = History.Wish()
            if scenario.writing == .fenced, await client.fence("last\(attempt)", by: process) != nil {
                wish.token = "last\(attempt)"
            }
            guard let retryAfter = await client.append(recorder.newMessages(1), by: process, wish) else { return }
            await sleep(retryAfter.wholeMicroseconds)
        }
        recorder.surprise("no append succeeds any more")
    }
}
