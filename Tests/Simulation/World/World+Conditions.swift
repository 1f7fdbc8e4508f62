import StreamsCore
import StreamsModel

/// Writers that ask for more than to append.
extension World {
    /// Appends in the way of the world's writers.
    func writeAsDrawn(_ writer: Int) async {
        switch scenario.writing {
        case .plain: await write(writer)
        case .keyed: await writeUnderKeys(writer)
        case .contested: await writeWhereItHasRead(writer)
        case .fenced: await own(writer)
        }
    }

    /// Sends each append again until it is acknowledged, through whatever process, sometimes twice at once, and
    /// sometimes long after it was.
    func writeUnderKeys(_ writer: Int) async {
        let client = Client("writer \(writer)", world: self)
        for number in 0..<scenario.appendsPerWriter {
            await think()
            let messages = recorder.newMessages(1 + choices.below(scenario.batchMaximum))
            // Some append between the others as anybody does.
            guard choices.happens(permille: 850) else {
                if let process = await process(preferring: writer) { await client.append(messages, by: process) }
                continue
            }
            var wish = History.Wish(key: "w\(writer)-\(number)")
            if choices.happens(permille: 150) { wish.expected = Int64(1 + choices.below(6)) }
            for _ in 0..<(2 + choices.below(5)) where !isCalm {
                let retryAfter = await send(messages, wish, writer, client)
                // Who is done looks again now and then whether that is remembered.
                if retryAfter == nil, choices.happens(permille: 600) { break }
                await pauseBeforeRetry(retryAfter)
            }
        }
    }

    /// One attempt, or two that do not know of each other.
    private func send(_ messages: [Int], _ wish: History.Wish, _ writer: Int, _ client: Client) async -> Duration? {
        guard let process = await process(preferring: writer) else { return nil }
        guard choices.happens(permille: 300), let other = await self.process(preferring: writer + 1) else {
            return await client.append(messages, by: process, wish)
        }
        let twin = Client("\(client.name)'s twin", world: self)
        let delay = choices.microseconds(0...50_000)
        async let second: Duration? = {
            await self.sleep(delay)
            return await twin.append(messages, by: other, wish)
        }()
        let first = await client.append(messages, by: process, wish)
        let late = await second
        return first == nil || late == nil ? nil : first
    }

    /// Sometimes so long that nothing that was sent before can land any more, or that what was written has expired.
    private func pauseBeforeRetry(_ retryAfter: Duration?) async {
        if scenario.retentionDays != nil, choices.happens(permille: 300) {
            return await sleep(choices.microseconds(600 * Self.minute...4320 * Self.minute))
        }
        if choices.happens(permille: 150) { return await sleep(choices.microseconds(Self.minute...40 * Self.minute)) }
        await sleep(max(retryAfter ?? .zero, .milliseconds(100)).wholeMicroseconds)
    }

    /// Reads to the end, and appends right there if nobody else does so first; some append without looking.
    func writeWhereItHasRead(_ writer: Int) async {
        guard choices.happens(permille: 800) else { return await write(writer) }
        let client = Client("writer \(writer)", world: self)
        var position: Int64 = 1
        for _ in 0..<(scenario.appendsPerWriter * 2) {
            await think()
            guard let process = await process(preferring: writer) else { return }
            guard let page = await client.page(from: position, limit: 1000, wait: .milliseconds(100), by: process)
            else { continue }
            position = page.next
            let messages = recorder.newMessages(1 + choices.below(scenario.batchMaximum))
            await client.append(messages, by: process, History.Wish(expected: position))
        }
    }

    /// Takes the topic over, reads what the owner before has written, then appends until somebody else takes over.
    func own(_ writer: Int) async {
        let client = Client("owner \(writer)", world: self)
        await think()
        // A topic has to be there before it can be fenced.
        if let process = await process(preferring: writer) {
            await client.append(recorder.newMessages(1), by: process)
        }
        for term in 0..<2 {
            await think()
            guard let process = await process(preferring: writer) else { return }
            let token = "o\(writer)-\(term)"
            guard await client.fence(token, by: process) != nil else { continue }
            for _ in 0..<(scenario.appendsPerWriter * 2) {
                guard let process = await self.process(preferring: writer) else { return }
                let messages = recorder.newMessages(1 + choices.below(scenario.batchMaximum))
                let key = choices.happens(permille: 100) ? "\(token)-\(messages[0])" : nil
                let retryAfter = await client.append(messages, by: process, History.Wish(key: key, token: token))
                // Who was refused does not believe it at once: somebody may have to hear it for hours.
                if retryAfter != nil, choices.happens(permille: 300) {
                    await sleep(choices.microseconds(Self.minute...30 * Self.minute))
                }
                await think()
            }
        }
    }
}
