import StreamsAWS
import StreamsModel

/// A course of events that hardly ever comes about by chance, and in which a wrong variant of the protocol does harm.
package enum Story: String, CaseIterable, Sendable {
    /// The item is set back while a batch is on its way that nobody knows of.
    case lateWriteAfterSetBack
    /// A reader that is about to close a hole stands still while the topic is recovered, and goes on afterwards.
    case sleepingReaderAfterRecovery
    /// Two processes open a topic again; the word of the second arrives when the first has appended.
    case twoOpenAtOnce
    /// A trim arrives minutes late, when another one has gone further.
    case lateTrim
    /// A delete arrives once more, minutes late, when the topic has been made again.
    case lateDelete
    /// The item is set back a day after its newest claim.
    case setBackTheNextDay

    /// A maintainer stands still after its first delete, and a reader comes by.
    case readerBetweenDeletes
    /// A maintainer is about to delete what another one has put more into by now.
    case deleteOfMore
    /// A maintainer finds that one of its parts has changed, and another one below has not.
    case changedInTheMiddle
    /// A maintainer's write comes when another one has put more at that key.
    case mergeOverMore
    /// A reader knows the end of hours ago, and what it knows of was merged with more.
    case oldEnd
    /// A writer finds its key taken, stands still, and what stood there is merged away.
    case mergedAwayUnderWriter
    /// A writer stands still before it tries again, and what it wrote is merged away.
    case writerWakesTooLate
    /// A write of a claim that was given up lands where something was merged.
    case lateWriteIntoMerged
    /// A reader has the last part of what was merged in memory.
    case cachedPart
    /// A filler that is under way lands where trimmed messages were deleted.
    case fillerAfterTrim
    /// A reader that knows of no trim finds nothing.
    case trimmedUnderReader

    /// A consumer waits while its topic is deleted, by a process that dies over it, and made again.
    case deletedUnderConsumer

    /// The stories of every topic.
    package static let everyday: [Story] = [
        .lateWriteAfterSetBack, .sleepingReaderAfterRecovery, .twoOpenAtOnce, .setBackTheNextDay, .lateTrim,
        .lateDelete,
    ]
    /// The stories of consumer groups.
    package static let ofGroups: [Story] = [.deletedUnderConsumer]
    /// The stories of maintainers.
    package static let ofMerging = allCases.filter { !everyday.contains($0) && !ofGroups.contains($0) }
}

extension Scenario {
    /// Makes the world that a story needs.
    mutating func tell(_ story: Story) {
        self.story = story
        holeTimeout = .seconds(5)
        appendTimeout = .seconds(10)
        latency = 1_000...40_000
        processCount = 3
        retentionDays = story == .setBackTheNextDay ? 1 : nil
        hasCaches = story == .cachedPart
        // Only then a writer still tries when what it wrote is old.
        if story == .mergedAwayUnderWriter || story == .writerWakesTooLate { appendTimeout = .seconds(4 * 3600) }
        if Story.ofGroups.contains(story) { (groups, changeCount) = (GroupPlan(), 1) }
        if story == .fillerAfterTrim || story == .lateWriteIntoMerged { holeTimeout = .zero }
    }
}

extension World {
    static let minute: Int64 = 60_000_000
    private static let day: Int64 = 24 * 60 * minute

    /// Lets a story happen; sizes and times differ from seed to seed.
    func tell(_ story: Story) async {
        await sleep(1_000_000)
        guard let first = places[0].process, let second = places[1].process, let third = places[2].process else {
            return
        }
        let client = Client("teller", world: self)
        guard !Story.ofGroups.contains(story) else { return await tellOfGroup(client, first, second, third) }
        guard Story.everyday.contains(story) else {
            return await tellOfMerging(story, client, [first, second, third])
        }
        await client.append(recorder.newMessages(1 + choices.below(3)), by: first)
        let backup = dynamoDB.item(topic.rawValue)
        switch story {
        case .lateWriteAfterSetBack:
            await pass(minutes: 40)
            await client.append(recorder.newMessages(1), by: first)
            network.interfere(.lastWord(choices.microseconds(2 * Self.minute...14 * Self.minute))) {
                $1.isConditionalPut
            }
            await client.append(recorder.newMessages(2 + choices.below(3)), by: second)
            network.setBack(topic.rawValue, to: backup)
            await appendUntilOpen(client, first)
            await pass(minutes: 20)
        case .sleepingReaderAfterRecovery:
            await pass(minutes: 40)
            await client.append(recorder.newMessages(1), by: first)
            network.interfere(.death) { process, request in process.name == second.name && request.isConditionalPut }
            // So far every message has the offset that is its number.
            let hole = recorder.newMessages(1)[0]
            await client.append(recorder.newMessages(2), by: second)
            await sleep(10_000_000)
            network.interfere(.sleep(choices.microseconds(25 * Self.minute...90 * Self.minute))) { process, request in
                process.name == third.name && request.name.hasPrefix("LIST")
            }
            async let reading: Void = readOnce(third, from: Int64(hole))
            await sleep(5_000_000)
            network.setBack(topic.rawValue, to: backup)
            await appendUntilOpen(client, first, count: 3)
            await reading
        case .twoOpenAtOnce:
            await pass(minutes: 40)
            await client.append(recorder.newMessages(2), by: first)
            network.setBack(topic.rawValue, to: backup)
            await client.append(recorder.newMessages(1), by: first)
            await pass(minutes: 20)
            network.interfere(.delay(choices.microseconds(Self.minute...10 * Self.minute))) {
                $1.name.hasSuffix("reopen")
            }
            await client.append(recorder.newMessages(2), by: second)
            await appendUntilOpen(client, first)
            await pass(minutes: 11)
            await client.append(recorder.newMessages(1), by: third)
        case .lateTrim, .lateDelete:
            await tellLateChange(isDelete: story == .lateDelete, client, first, second)
        case .setBackTheNextDay:
            await pass(minutes: 23 * 60 + choices.below(120))
            await client.append(recorder.newMessages(1 + choices.below(2)), by: first)
            network.setBack(topic.rawValue, to: backup)
            await appendUntilOpen(client, second)
            await sleepUntilMidnight()
            await readOnce(third, from: 1)
        default: break
        }
    }

    func pass(minutes: Int) async { await sleep(Int64(minutes) * Self.minute) }

    private func tellLateChange(
        isDelete: Bool, _ client: Client, _ first: SimulatedProcess, _ second: SimulatedProcess
    ) async {
        await client.append(recorder.newMessages(3 + choices.below(3)), by: first)
        let delay = choices.microseconds(Self.minute...10 * Self.minute)
        network.interfere(isDelete ? .twice(delay) : .delay(delay)) { process, request in
            process.name == first.name && request.name.hasSuffix(isDelete ? "delete" : "trim")
        }
        let changer = Client("changer", world: self)
        if isDelete {
            await changer.delete(by: first)
            await appendUntilOpen(client, second)
        } else {
            async let early: Void = changer.trim(before: 2, by: first)
            await sleep(500_000)
            await changer.trim(before: 4, by: second)
            await early
        }
        await pass(minutes: 12)
    }

    private func sleepUntilMidnight() async {
        let ofDay = (ProcessClock.epoch * 1000 + scheduler.now) % Self.day
        await sleep(Self.day - ofDay + 20 * Self.minute)
    }

    func appendUntilOpen(_ client: Client, _ process: SimulatedProcess, count: Int = 1) async {
        for _ in 0..<10 {
            guard let retryAfter = await client.append(recorder.newMessages(count), by: process) else { return }
            await sleep(retryAfter.wholeMicroseconds)
        }
    }

    func readOnce(_ process: SimulatedProcess, from position: Int64) async {
        _ = await Client("reader by \(process.name)", world: self).page(
            from: position, limit: 1000, wait: .zero, by: process)
    }
}
