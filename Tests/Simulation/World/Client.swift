import StreamsCore
import StreamsModel

/// Somebody who uses the log through a process, and writes down what came back.
struct Client: Sendable {
    let name: String
    let world: World
    /// The topic that it uses.
    let topic: TopicName

    init(_ name: String, world: World, topic: TopicName? = nil) {
        self.name = name
        self.world = world
        self.topic = topic ?? world.topic
    }

    /// Appends messages; returns after how long to try again, or `nil` after a success.
    @discardableResult
    func append(
        _ messages: [Int], by process: SimulatedProcess, _ wish: History.Wish = History.Wish()
    ) async -> Duration? {
        let result = await attempt(messages, by: process, wish)
        if process.isAlive, case .success = result { return nil }
        if case .failure(let error) = result { return error.context.retryAfter ?? .seconds(1) }
        return .seconds(1)
    }

    /// Appends messages; returns what came back, of dead processes too.
    func attempt(
        _ messages: [Int], by process: SimulatedProcess, _ wish: History.Wish
    ) async -> Result<AppendReceipt, StreamsError> {
        let begin = world.recorder.beginAppend(name, messages, process.name, wish)
        let batch = MessageBatch.ofNumbers(messages)
        let topic = topic
        let result: Result<AppendReceipt, StreamsError> = await withTaskExecutorPreference(process.executor) {
            do throws(StreamsError) {
                let conditions = try wish.conditions(for: messages)
                return .success(try await process.log.append(batch, to: topic, conditions: conditions))
            } catch {
                return .failure(error)
            }
        }
        // Of a dead process nobody hears.
        let outcome: History.Outcome
        var isToldGone = false
        switch result {
        case _ where !process.isAlive: outcome = .unknown
        case .success(let receipt):
            outcome = .acknowledged(receipt.range.lowerBound.rawValue..<receipt.range.upperBound.rawValue)
        case .failure(let error) where error.code == .unavailable: outcome = .refused
        case .failure(let error) where error.code == .outcomeUnknown: outcome = .unknown
        case .failure(let error) where wish.allows(error): outcome = .refused
        case .failure(let error) where error.code == .idempotencyKeyExpired && wish.key != nil:
            (outcome, isToldGone) = (.unknown, true)
        case .failure(let error):
            outcome = .unknown
            world.recorder.surprise("\(name) met an error that no append should meet: \(error)")
        }
        world.recorder.endAppend(
            History.Append(
                client: name, begin: begin, end: world.scheduler.now, messages: messages, outcome: outcome, wish: wish,
                isToldGone: isToldGone), in: topic)
        return result
    }

    /// Reads once; returns where to go on, or `nil` where it failed.
    func read(from position: Int64, limit: Int, wait: Duration, by process: SimulatedProcess) async -> Int64? {
        await page(from: position, limit: limit, wait: wait, by: process)?.next
    }

    /// Reads once; returns what came, or `nil` where it failed.
    func page(
        from position: Int64, limit: Int, wait: Duration, by process: SimulatedProcess
    ) async -> (next: Int64, topicEnd: Int64?)? {
        guard let start = Offset(position) else { return nil }
        return await page(
            ReadRequest(topic: topic, start: .offset(start), limit: limit, bytesMaximum: 1_000_000, wait: wait),
            from: position, by: process)
    }

    /// Reads once, from the first message of a time on (milliseconds since 1970); returns where to go on, or `nil`
    /// where it failed.
    func read(since time: Int64, limit: Int, by process: SimulatedProcess) async -> Int64? {
        let request = ReadRequest(
            topic: topic, start: .since(Timestamp(milliseconds: time)), limit: limit, bytesMaximum: 1_000_000,
            wait: .zero)
        return await page(request, from: 1, since: time, by: process)?.next
    }

    private func page(
        _ request: ReadRequest, from position: Int64, since: Int64? = nil, by process: SimulatedProcess
    ) async -> (next: Int64, topicEnd: Int64?)? {
        let begin = world.scheduler.now
        let result: Result<ReadPage, StreamsError> = await withTaskExecutorPreference(process.executor) {
            do throws(StreamsError) {
                return .success(try await process.log.read(request))
            } catch {
                return .failure(error)
            }
        }
        guard process.isAlive else { return nil }
        switch result {
        case .success(let page):
            let messages = page.numbers
            world.recorder.note(
                History.Read(
                    client: name, process: process.name, begin: begin, end: world.scheduler.now,
                    from: since == nil ? position : messages.first?.offset ?? page.next.rawValue,
                    next: page.next.rawValue, topicEnd: page.end.rawValue, wait: request.wait.wholeMicroseconds,
                    messages: messages, since: since), in: topic)
            return (page.next.rawValue, page.end.rawValue)
        case .failure(let error):
            return world.recorder.note(error, name, begin: begin, from: position, in: topic)
        }
    }
}

extension MessageBatch {
    /// A batch whose payloads are these numbers.
    static func ofNumbers(_ numbers: [Int]) -> MessageBatch {
        var bytes: [UInt8] = []
        var spans: [Spans] = []
        for number in numbers {
            let text = Array(String(number).utf8)
            spans.append(Spans(payload: bytes.count..<bytes.count + text.count, hasLineBreak: false))
            bytes += text
        }
        return MessageBatch(bytes: bytes, messages: spans)
    }
}

extension ReadPage {
    /// The messages as numbers at offsets, both read from the stored lines.
    var numbers: [History.Message] {
        slices.flatMap { slice in
            slice.body[slice.bytes].split(separator: UInt8(ascii: "\n")).map { line in
                History.Message(
                    offset: Self.number(after: "\"offset\":", in: line),
                    number: Int(Self.number(after: "\"payload\":", in: line)),
                    timestamp: Self.number(after: "\"timestamp\":", in: line))
            }
        }
    }

    /// The number behind a label; -1 where there is none.
    private static func number(after label: String, in line: ArraySlice<UInt8>) -> Int64 {
        let label = Array(label.utf8)
        var rest = line
        while rest.count >= label.count {
            if rest.starts(with: label) {
                var value: Int64 = -1
                for byte in rest.dropFirst(label.count) {
                    guard byte &- UInt8(ascii: "0") <= 9 else { break }
                    value = max(value, 0) * 10 + Int64(byte &- UInt8(ascii: "0"))
                }
                return value
            }
            rest = rest.dropFirst()
        }
        return -1
    }
}
