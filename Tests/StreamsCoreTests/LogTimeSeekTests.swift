@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Reading from a time on", .timeLimit(.minutes(2)))
struct LogTimeSeekTests {
    let laboratory: Laboratory
    let log: Log
    var store: FaultInjectingStore { laboratory.store }

    init() throws {
        laboratory = try Laboratory(keysPerList: 7)
        log = laboratory.makeLog()
    }

    @Test("begins at the first message at or after the time, exactly, whatever is stored", arguments: 1...25)
    func exact(_ seed: UInt64) async throws {
        var random = SplitMix64(seed: seed)
        var messages: [(offset: Offset, time: Timestamp)] = []
        _ = await laboratory.memory.create(laboratory.topic, at: laboratory.time.now())
        var times: Set<Timestamp> = [laboratory.time.now()]
        for _ in 0..<1 + random.next(below: 25) {
            if random.happens(percent: 70) { laboratory.time.advance(by: .milliseconds(1 + random.next(below: 3))) }
            let now = laboratory.time.now()
            times.insert(now)
            if random.happens(percent: 30) {
                let claim = try await laboratory.claim(1 + random.next(below: 3))
                let filler = Segment.filler(
                    laboratory.topic, claim.range, appendID: laboratory.makeID(), timestamp: now)
                _ = await laboratory.memory.put(filler, signedAt: now)
            } else {
                let count = 1 + random.next(below: 4)
                let end = await laboratory.memory.head(of: laboratory.topic)?.end ?? 1
                try await laboratory.writeDirectly([count])
                messages += (0..<count).map { (end.advanced(by: $0), now) }
            }
        }
        if random.happens(percent: 30), let middle = messages.randomElement(using: &random) {
            laboratory.memory.trim(laboratory.topic, before: middle.offset)
            messages.removeAll { $0.offset < middle.offset }
        }
        for time in times.flatMap({ [$0.advanced(by: .milliseconds(-1)), $0, $0.advanced(by: .milliseconds(1))] }) {
            let page = try await laboratory.read(log, .since(time))
            let expected = messages.filter { $0.time >= time }.map(\.offset)
            #expect(page.slices.flatMap { slice in offsets(slice.range) } == expected, "seed \(seed)")
        }
    }

    @Test("finds its place among 100,000 segments with a few dozen calls")
    func cost() async throws {
        let count = 100_000
        let body = try Segment.of([MessageText("1")], first: 1, at: 1).body
        let start = laboratory.time.now()
        _ = await laboratory.memory.create(laboratory.topic, at: start)
        for number in 0..<count {
            laboratory.time.advance(by: .milliseconds(10))
            let claim = try await laboratory.claim(1)
            let segment = Segment(
                topic: claim.topic, range: claim.range, kind: .messages, appendID: laboratory.makeID(),
                previousClaim: claim.previousClaim, timestamp: claim.at, body: body)
            _ = await laboratory.memory.put(segment, signedAt: claim.at)
            precondition(claim.range.lowerBound == Offset.first.advanced(by: number))
        }
        for place in [0, 1, 2, 3, 4_999, 50_000, 65_535, 65_536, 99_998, 99_999] {
            store.forgetCalls()
            let time = start.advanced(by: .milliseconds(10 * (place + 1)))
            for time in [time, time.advanced(by: .milliseconds(-9))] {
                let page = try await laboratory.read(log, .since(time), limit: 1)
                #expect(page.slices.first?.range.lowerBound == Offset.first.advanced(by: place))
            }
            let names = store.calls.map(\.name)
            #expect(names.count { $0 == "list" } <= 2 * 18 && names.count { $0 == "get" } <= 2 * 18)
        }
    }

    @Test("begins at the end for a time to come")
    func future() async throws {
        try await laboratory.writeDirectly([1, 1])
        let page = try await laboratory.read(log, .since(laboratory.time.now().advanced(by: .seconds(1))))
        #expect(page.texts.isEmpty && page.next == 3)
    }

    @Test("looks again when a segment has gone between list and get, instead of taking the rest for empty")
    func goneMeanwhile() async throws {
        for _ in 0..<8 {
            try await laboratory.writeDirectly([1])
            laboratory.time.advance(by: .seconds(1))
        }
        let gets = Shared(0)
        store.plan { call in
            guard case .get = call else { return .none }
            return gets.change {
                $0 += 1; return $0 == 1
            } ? .missing : .none
        }
        let page = try await laboratory.read(log, .since(laboratory.time.now().advanced(by: .seconds(-2))))
        #expect(page.texts == ["7:7", "8:8"])
    }

    private func offsets(_ range: Range<Offset>) -> [Offset] {
        (0..<range.offsetCount).map { range.lowerBound.advanced(by: $0) }
    }
}
