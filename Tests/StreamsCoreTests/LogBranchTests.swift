@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("A branch", .timeLimit(.minutes(2)))
struct LogBranchTests {
    let laboratory: Laboratory
    let parent: TopicName
    let branch: TopicName
    let log: Log
    var memory: InMemoryStore { laboratory.memory }

    init() throws {
        laboratory = try Laboratory(keysPerList: 2)
        parent = laboratory.topic
        branch = try TopicName("branch")
        log = laboratory.makeLog()
    }

    private func read(
        _ topic: TopicName, _ start: ReadRequest.Start = .earliest, limit: Int = 10_000, bytes: Int = .max
    ) async throws -> ReadPage {
        try await log.read(ReadRequest(topic: topic, start: start, limit: limit, bytesMaximum: bytes))
    }

    private func error(_ body: () async throws -> Void) async -> StreamsError? {
        do { try await body() } catch { return error as? StreamsError }
        return nil
    }

    private func append(_ payload: String, to topic: TopicName) async throws {
        let batch = try MessageBatch.of(payload)
        try await laboratory.running(laboratory.makeLog()) { () async throws in () }
        let log = laboratory.makeLog()
        try await laboratory.running(log) { () async throws in _ = try await log.append(batch, to: topic) }
    }

    @Test(
        "reads as its parent below the fork, wherever that lies, and goes its own way from there on", arguments: 1...8)
    func reads(fork: Int) async throws {
        try await laboratory.writeDirectly([3, 1, 3])
        let offset = Offset.first.advanced(by: fork - 1)
        let info = try await log.createBranch(branch, of: parent, at: offset)
        #expect(info.end == offset && info.earliest == 1 && info.branch?.fork == offset)
        let prefix = (1..<fork).map { "\($0):\($0)" }
        #expect(try await read(branch).texts == prefix)
        #expect(try await read(branch).next == offset)
        try await append("100", to: branch)
        try await append("200", to: parent)
        let all = prefix + ["\(fork):100"]
        #expect(try await read(branch).texts == all)
        #expect(try await read(parent).texts == (1...7).map { "\($0):\($0)" } + ["8:200"])
        for start in 1...fork + 1 {
            for limit in 1...4 {
                var position = Offset.first.advanced(by: start - 1)
                var texts: [String] = []
                for _ in 0..<20 {
                    let page = try await read(branch, .offset(position), limit: limit)
                    #expect(page.messageCount <= limit && page.end == offset.advanced(by: 1))
                    texts += page.texts
                    position = page.next
                }
                #expect(texts == Array(all.dropFirst(start - 1)), "from \(start), \(limit) at once")
            }
        }
        // Bytes bound a page that spans both, too.
        #expect(try await read(branch, bytes: 1).texts == [all[0]])
        #expect(laboratory.store.puts.allSatisfy { $0.kind == .messages })
        #expect(try await read(branch, .latest).next == offset.advanced(by: 1))
        let beyond = await error { _ = try await read(branch, .offset(offset.advanced(by: 2))) }
        #expect(beyond?.code == .offsetBeyondEnd)
        #expect(try await log.topics(prefix: "", after: "", limit: 9).names == [branch, parent])
    }

    @Test("of a branch of a branch reads from each where it holds the offset")
    func deep() async throws {
        try await laboratory.writeDirectly([5])
        var topics = [parent]
        for depth in 1...TopicViews.ancestorMaximum {
            let topic = try TopicName("branch-\(depth)")
            _ = try await log.createBranch(topic, of: topics[depth - 1], at: nil)
            try await append("\(100 + depth)", to: topic)
            topics.append(topic)
        }
        let expected = (1...5).map { "\($0):\($0)" } + (1...16).map { "\(5 + $0):\(100 + $0)" }
        let last = try #require(topics.last)
        #expect(try await read(last).texts == expected)
        #expect(try await log.info(of: last).earliest == 1)
        let tooDeep = await error { _ = try await log.createBranch(branch, of: last, at: nil) }
        #expect(tooDeep?.code == .invalidParameter && tooDeep?.context.parameter == "topic")
        // Below its own fork a branch forks what its parent reads as.
        let low = try TopicName("low")
        _ = try await log.createBranch(low, of: topics[9], at: 3)
        #expect(try await read(low).texts == ["1:1", "2:2"])
        try await append("7", to: low)
        #expect(try await read(low).texts == ["1:1", "2:2", "3:7"])
    }

    @Test("shows what is trimmed of its parent, or deleted, or made again, as trimmed")
    func parentTrimmed() async throws {
        try await laboratory.writeDirectly([3, 3])
        _ = try await log.createBranch(branch, of: parent, at: 6)
        let child = try TopicName("child")
        _ = try await log.createBranch(child, of: branch, at: nil)
        try await append("100", to: branch)
        #expect(try await log.trim(parent, before: 3) == 3)
        for topic in [branch, child] {
            #expect(try await read(topic).texts.first == "3:3")
            #expect(try await log.info(of: topic).earliest == 3)
            let trimmed = await error { _ = try await read(topic, .offset(2)) }
            #expect(trimmed?.code == .offsetTrimmed && trimmed?.context.earliestOffset == 3)
        }
        // Its own trim does not touch the parent.
        #expect(try await log.trim(branch, before: 2) == 3)
        #expect(try await log.trim(branch, before: 5) == 5)
        #expect(try await read(child, .earliest).texts == ["5:5"])
        #expect(try await read(parent).texts.first == "3:3")
        try await log.delete(parent)
        #expect(try await log.info(of: branch).earliest == 6)
        #expect(try await read(branch).texts == ["6:100"])
        #expect(try await log.info(of: child).earliest == 6)
        try await append("9", to: parent)
        #expect(try await read(parent).texts == ["7:9"])
        let gone = await error { _ = try await read(branch, .offset(5)) }
        #expect(gone?.code == .offsetTrimmed && gone?.context.earliestOffset == 6)
        // Where nothing is left below, a trim of its own goes on above.
        #expect(try await log.trim(branch, before: 7) == 7)
        #expect(try await read(branch).texts == [])
    }

    @Test(
        "of a topic in which writes are under way waits for those below its fork, and closes them by the parent's rules"
    )
    func holes() async throws {
        try await laboratory.writeDirectly([2])
        let late = try await laboratory.claim(3)
        _ = try await log.createBranch(branch, of: parent, at: 4)
        #expect(try await read(branch).texts == ["1:1", "2:2"])
        var segment = try Segment.of(
            (3...5).map { MessageText("\($0)") }, first: 3, at: late.at.milliseconds)
        segment.appendID = laboratory.makeID()
        _ = await memory.put(segment, signedAt: late.at)
        #expect(try await read(branch).texts == ["1:1", "2:2", "3:3"])
        // A claim that comes to nothing is closed whole, up to where the parent ended.
        try await laboratory.claim(3)
        let other = try TopicName("other")
        _ = try await log.createBranch(other, of: parent, at: 7)
        try await laboratory.writeDirectly([1])
        laboratory.time.advance(by: .seconds(60))
        #expect(try await read(other).texts == (1...5).map { "\($0):\($0)" })
        #expect(try await read(other, .offset(6)).next == 7)
        #expect(await laboratory.layout() == "1-2 3-5 (6-8) 9-9")
    }

    @Test("looks at its parent's low mark again before it calls a gap a hole")
    func trimmedMeanwhile() async throws {
        for _ in 0..<6 { try await laboratory.writeDirectly([1]) }
        _ = try await log.createBranch(branch, of: parent, at: 6)
        laboratory.time.advance(by: .seconds(60))
        let memory = memory
        let parent = parent
        laboratory.store.plan { call in
            if case .get = call { memory.trim(parent, before: 4) }
            return .none
        }
        let trimmed = await error { _ = try await read(branch, .offset(1)) }
        #expect(trimmed?.code == .offsetTrimmed && trimmed?.context.earliestOffset == 4)
        #expect(laboratory.store.puts.isEmpty)
    }

    @Test("is found from a time on, in its parent or in itself")
    func timeSeek() async throws {
        let start = laboratory.time.now()
        for _ in 0..<4 {
            try await laboratory.writeDirectly([2])
            laboratory.time.advance(by: .seconds(1))
        }
        _ = try await log.createBranch(branch, of: parent, at: 6)
        try await append("100", to: branch)
        laboratory.time.advance(by: .seconds(1))
        try await append("101", to: branch)
        func first(_ seconds: Int) async throws -> String? {
            try await read(branch, .since(start.advanced(by: .seconds(seconds)))).texts.first
        }
        #expect(try await first(-1) == "1:1")
        #expect(try await first(1) == "3:3")
        #expect(try await first(2) == "5:5")
        // What the parent has above the fork is none of the branch's.
        #expect(try await first(3) == "6:100")
        #expect(try await first(5) == "7:101")
        #expect(try await first(6) == nil)
    }

    @Test(
        "is not read from older messages of its own on, where its parent's part ends in a hole",
        arguments: [true, false])
    func timeSeekBehindHole(isClosed: Bool) async throws {
        try await laboratory.writeDirectly([2])
        laboratory.time.advance(by: .seconds(1))
        let claim = try await laboratory.claim(2)
        if isClosed {
            let filler = Segment.filler(parent, claim.range, appendID: laboratory.makeID(), timestamp: claim.at)
            _ = await laboratory.memory.put(filler, signedAt: claim.at)
        }
        _ = try await log.createBranch(branch, of: parent, at: nil)
        let before = laboratory.time.now()
        laboratory.time.advance(by: .seconds(1))
        try await append("100", to: branch)
        laboratory.time.advance(by: .seconds(1))
        let late = try await read(branch, .since(laboratory.time.now()))
        #expect(late.texts.isEmpty && late.next == late.end)
        // What is not older may still be written in the hole.
        let early = try await read(branch, .since(before))
        if isClosed { #expect(early.texts == ["5:100"]) } else { #expect(early.next == 3) }
    }

    @Test("costs nothing more than any topic where what is read is its own")
    func cost() async throws {
        try await laboratory.writeDirectly([3])
        _ = try await log.createBranch(branch, of: parent, at: nil)
        try await append("100", to: branch)
        laboratory.store.forgetCalls()
        _ = try await read(branch, .offset(4))
        _ = try await read(branch, .offset(5))
        #expect(laboratory.store.calls.map(\.name) == ["head", "get", "head"])
        laboratory.store.forgetCalls()
        _ = try await read(branch, .offset(1))
        #expect(laboratory.store.calls.map(\.name) == ["head", "head", "list", "get", "get"])
    }

    @Test("is refused where it can not be")
    func refusals() async throws {
        let absent = await error { _ = try await log.createBranch(branch, of: parent, at: nil) }
        #expect(absent?.code == .topicNotFound)
        try await laboratory.writeDirectly([3, 3])
        let beyond = await error { _ = try await log.createBranch(branch, of: parent, at: 8) }
        #expect(beyond?.code == .invalidParameter && beyond?.context.parameter == "offset")
        _ = try await log.trim(parent, before: 3)
        let trimmed = await error { _ = try await log.createBranch(branch, of: parent, at: 2) }
        #expect(trimmed?.code == .offsetTrimmed && trimmed?.context.earliestOffset == 3)
        let itself = await error { _ = try await log.createBranch(parent, of: parent, at: nil) }
        #expect(itself?.code == .topicExists)
        _ = try await log.createBranch(branch, of: parent, at: 3)
        #expect(try await read(branch).texts == [])
        let again = await error { _ = try await log.createBranch(branch, of: parent, at: 3) }
        #expect(again?.code == .topicExists)
        try await log.delete(branch)
        let deleted = await error { _ = try await log.createBranch(branch, of: parent, at: 3) }
        #expect(deleted?.code == .topicExists)
        // By its first message it is made again, as a topic of its own.
        try await append("1", to: branch)
        #expect(try await read(branch).texts == ["3:1"])
        #expect(try await log.info(of: branch).branch == nil)
    }
}
