@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Reading", .timeLimit(.minutes(2)))
struct LogReadTests {
    let laboratory: Laboratory
    let topic: TopicName
    let log: Log
    var store: FaultInjectingStore { laboratory.store }

    init() throws {
        laboratory = try Laboratory(keysPerList: 3)
        topic = laboratory.topic
        log = laboratory.makeLog()
    }

    @Test("meets its limit exactly, from any offset, across segments and pages of the store")
    func limit() async throws {
        try await write([3, 1, 1, 4, 2, 1, 1, 1, 5, 1])
        for start in 1...20 {
            for limit in 1...22 {
                let page = try await laboratory.read(log, at(start), limit: limit)
                let expected = (start..<min(start + limit, 21)).map { "\($0):\($0)" }
                #expect(page.texts == expected)
                #expect(page.next == offset(min(start + limit, 21)) && page.end == 21)
            }
        }
    }

    @Test("meets its byte limit exactly, and returns one message however large")
    func bytes() async throws {
        let payloads = try await writeTricky([1, 2, 1, 3, 1, 1, 4, 2])
        let total = payloads.reduce(0) { $0 + $1.utf8.count }
        let lines = await laboratory.stored().reduce(0) { $0 + $1.body.count }
        for start in [1, 2, 3, 7, 14] {
            // Up to beyond the size of whole lines: the estimate that saves counting must not show.
            for bytes in Array(0...total + 2) + Array(stride(from: total, through: lines + 2, by: 1)) {
                let page = try await laboratory.read(log, at(start), bytes: bytes)
                var size = 0
                var expected = 0
                for payload in payloads[(start - 1)...] {
                    size += payload.utf8.count
                    if size > bytes, expected > 0 { break }
                    expected += 1
                }
                #expect(page.messageCount == expected, "\(bytes) bytes from \(start)")
                #expect(page.next == offset(start + expected))
            }
        }
    }

    @Test("honours both limits at once")
    func bothLimits() async throws {
        try await write([2, 2, 2])
        #expect(try await laboratory.read(log, limit: 3, bytes: 2).texts == ["1:1", "2:2"])
        #expect(try await laboratory.read(log, limit: 3, bytes: 5).texts == ["1:1", "2:2", "3:3"])
    }

    @Test("begins at the earliest message, at the end, or where it is told")
    func starts() async throws {
        try await write([1, 1, 1, 1])
        laboratory.memory.trim(topic, before: 3)
        #expect(try await laboratory.read(log, .earliest).texts == ["3:3", "4:4"])
        let latest = try await laboratory.read(log, .latest)
        #expect(latest.texts.isEmpty && latest.next == 5 && latest.end == 5)
        #expect(try await laboratory.read(log, .offset(4)).texts == ["4:4"])
        let atEnd = try await laboratory.read(log, .offset(5))
        #expect(atEnd.texts.isEmpty && atEnd.next == 5)
    }

    @Test("refuses an offset past the end, and says where the end is")
    func beyondEnd() async throws {
        try await write([2])
        let error = await #expect(throws: StreamsError.self) { _ = try await laboratory.read(log, .offset(4)) }
        #expect(error?.code == .offsetBeyondEnd)
        #expect(error?.context.endOffset == 3)
    }

    @Test("refuses a trimmed offset, says where to go on, and jumps there when asked to")
    func trimmed() async throws {
        try await write([1, 3, 1])
        laboratory.memory.trim(topic, before: 3)
        let error = await #expect(throws: StreamsError.self) { _ = try await laboratory.read(log, .offset(2)) }
        #expect(error?.code == .offsetTrimmed)
        #expect(error?.context.earliestOffset == 3)
        #expect(error?.context.endOffset == 6)
        var request = ReadRequest(topic: topic, start: .offset(1), limit: 10, bytesMaximum: 1000)
        request.jumpsOverTrimmed = true
        // From the middle of the segment that reaches across.
        #expect(try await log.read(request).texts == ["3:3", "4:4", "5:5"])
    }

    @Test("reads a topic that does not exist, or holds nothing yet, as empty")
    func absent() async throws {
        for _ in 0..<2 {
            for start in [ReadRequest.Start.earliest, .latest, .offset(1), .since(laboratory.time.now())] {
                let page = try await laboratory.read(log, start)
                #expect(page.texts.isEmpty && page.next == 1 && page.end == 1)
            }
            #expect(await laboratory.code { _ = try await laboratory.read(log, .offset(2)) } == .offsetBeyondEnd)
            _ = try await log.create(topic)
        }
    }

    @Test("asks the table once and no segment when there is nothing new")
    func idlePoll() async throws {
        try await write([1, 1])
        store.forgetCalls()
        _ = try await laboratory.read(log, .offset(3))
        #expect(store.calls.map(\.name) == ["head"])
    }

    @Test("gets the newest batch without a list")
    func oneBehind() async throws {
        try await write([1, 3])
        store.forgetCalls()
        #expect(try await laboratory.read(log, .offset(2)).texts == ["2:2", "3:3", "4:4"])
        #expect(store.calls.map(\.name) == ["head", "get"])
        #expect(try await laboratory.read(log, .offset(4)).texts == ["4:4"])
    }

    @Test("says unavailable when the store fails, at whichever call", arguments: ["head", "list", "get"])
    func storeFails(_ name: String) async throws {
        try await write([1, 1])
        store.plan { $0.name == name ? .refused() : .none }
        #expect(await laboratory.code { _ = try await laboratory.read(log) } == .unavailable)
        store.plan { _ in .none }
        #expect(try await laboratory.read(log).texts == ["1:1", "2:2"])
    }

    @Test("delivers what was written after it looked at the end, but never past a hole there")
    func beyondItsEnd() async throws {
        try await write([1, 1])
        let laboratory = laboratory
        let gate = laboratory.makeGate()
        store.plan { call in
            if case .list = call { .held(at: gate) } else { .none }
        }
        async let page = laboratory.read(log)
        try await laboratory.until("the list") { gate.arrivalCount == 1 }
        try await laboratory.claim(1)
        try await laboratory.writeDirectly([1])
        gate.open()
        #expect(try await page.texts == ["1:1", "2:2"])
        #expect(try await laboratory.read(log, .offset(3)).next == 3)
    }

    private func at(_ number: Int) -> ReadRequest.Start { .offset(offset(number)) }

    private func offset(_ number: Int) -> Offset { Offset.first.advanced(by: number - 1) }

    private func write(_ counts: [Int]) async throws { try await laboratory.writeDirectly(counts) }

    /// Writes batches of payloads that are easily counted wrong; returns these.
    private func writeTricky(_ counts: [Int]) async throws -> [String] {
        let payloads = (0..<counts.reduce(0, +)).map { TrickyPayloads.all[$0 % TrickyPayloads.all.count] }
        try await laboratory.writeDirectly(counts) { payloads[$0 - 1] }
        return payloads
    }
}

extension Laboratory {
    /// Writes batches past the log, all at the present time; each message's payload is its offset unless told.
    func writeDirectly(_ counts: [Int], payload: (Int) -> String = { "\($0)" }) async throws {
        _ = await memory.create(topic, at: time.now())
        for count in counts {
            let claim = try await self.claim(count)
            let first = claim.range.lowerBound.rawValue
            var segment = try Segment.of(
                (0..<count).map { MessageText(payload(Int(first) + $0)) }, first: first, at: claim.at.milliseconds)
            segment.appendID = makeID()
            segment.previousClaim = claim.previousClaim
            guard await memory.put(segment, signedAt: claim.at) == .stored else { throw NeverHappened(what: "a put") }
        }
    }
}
