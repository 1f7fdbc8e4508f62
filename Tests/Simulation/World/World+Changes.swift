import StreamsAWS
import StreamsCore
import StreamsModel

/// Worlds in which topics are trimmed, deleted, made again and branched.
extension World {
    /// One change after the other, each of whatever topic there is.
    func changeTopics() async {
        var topics = [topic]
        for number in 1...scenario.changeCount {
            await think()
            guard let process = await process(preferring: choices.below(places.count)) else { return }
            let topic = choices.happens(permille: 600) ? topics[0] : choices.one(of: topics)
            let client = Client("changer", world: self, topic: topic)
            switch choices.below(10) {
            case 0...2: await client.trim(before: somewhere(in: topic), by: process)
            case 3: await client.delete(by: process)
            case 4...6:
                guard let name = try? TopicName("b\(number)") else { continue }
                let offset = choices.happens(permille: 300) ? nil : somewhere(in: topic)
                if await client.branch(to: name, at: offset, by: process) { topics.append(name) }
            case 7: _ = await client.append(recorder.newMessages(1 + choices.below(scenario.batchMaximum)), by: process)
            case 8 where !scenario.maintainers.isEmpty:
                await client.keep(milliseconds: choices.one(of: [60_000, 3_600_000, 36_000_000]), by: process)
            default: await read(topics.count > 1 ? choices.one(of: Array(topics.dropFirst())) : topic, by: process)
            }
        }
    }

    /// Reads a topic from its beginning on, or from any place.
    private func read(_ topic: TopicName, by process: SimulatedProcess) async {
        let client = Client("branch reader", world: self, topic: topic)
        var position = choices.happens(permille: 600) ? 1 : somewhere(in: topic)
        if choices.happens(permille: 300) {
            let limit = choices.one(of: [1, 2, 1000])
            guard let next = await client.read(since: sometime(in: topic), limit: limit, by: process) else { return }
            position = next
        }
        for _ in 0..<4 {
            let limit = choices.one(of: [1, 2, 1000])
            guard let next = await client.read(from: position, limit: limit, wait: .zero, by: process) else { return }
            position = next
        }
    }

    /// The time of a message that somebody has read, or about that; now where nobody has.
    private func sometime(in topic: TopicName) -> Int64 {
        let reads = topic == self.topic ? recorder.history.reads : recorder.branches[topic]?.reads ?? []
        guard let message = reads.isEmpty ? nil : choices.one(of: reads).messages.last, let time = message.timestamp
        else { return ProcessClock.trueTime(scheduler).milliseconds }
        return time + Int64(choices.below(3)) - 1
    }

    /// An offset that was given out in a topic, or its end.
    private func somewhere(in topic: TopicName) -> Int64 {
        let history = topic == self.topic ? recorder.history : recorder.branches[topic] ?? History()
        let end = history.appends.reduce(history.branch?.fork ?? 1) { end, append in
            guard case .acknowledged(let range) = append.outcome else { return end }
            return max(end, range.upperBound)
        }
        return 1 + Int64(choices.below(Int(end)))
    }

    /// Deletes objects that were trimmed more than an hour ago (clocks may differ by a little), as maintenance does.
    func sweep(permille: Int) {
        let now = ProcessClock.trueTime(scheduler).milliseconds
        for key in s3.keys {
            let parts = key.split(separator: "/")
            guard parts.count == 3, let last = Int64(parts[2].prefix(20)), let item = dynamoDB.item(String(parts[1])),
                let trimmed = item["trimmed_before"]?.integer, let time = item["trimmed_at"]?.integer,
                last < trimmed, time + 70 * 60_000 < now, choices.happens(permille: permille)
            else { continue }
            trace.note { "maintenance deletes \(key)" }
            s3.expire(key)
        }
    }

    /// After the last change: the topic is there, and readers get to the end of each branch.
    func restOfChanges(at place: Place) async {
        guard let process = place.process else { return }
        await Client("last reader", world: self).expectTopic(by: process)
        for branch in recorder.branches.keys.sorted() {
            let client = Client("last reader of \(branch)", world: self, topic: branch)
            await readAll(client, at: place, within: scenario.holeTimeout + .seconds(60))
        }
    }

    /// What is wrong with the branches, each seen together with what it has of its parent's.
    func branchViolations() -> [Violation] {
        let branches = recorder.branches
        func joined(_ topic: TopicName) -> History {
            guard let own = branches[topic], let name = own.branch?.parent, let parent = try? TopicName(name) else {
                return recorder.history
            }
            return own.joined(below: joined(parent))
        }
        return branches.keys.sorted().flatMap { branch in
            HistoryChecker.violations(in: joined(branch)).map { Violation($0.promise, "\(branch): \($0.text)") }
        }
    }
}
