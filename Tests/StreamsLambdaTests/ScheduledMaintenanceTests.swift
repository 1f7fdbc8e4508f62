import Foundation
import HTTPTypes
import LambdaRuntime
import Logging
import StreamsAPI
import StreamsCore
import StreamsHTTP
import StreamsLambda
import StreamsMetrics
import StreamsModel
import StreamsTesting
import Testing

@Suite("Maintenance by a schedule's event")
struct ScheduledMaintenanceTests {
    private let time = ManualTime()
    private let store = InMemoryStore()

    /// The answer's members.
    private struct Answer: Decodable, Equatable {
        var topics: Int
        var merges: Int
        var holesClosed: Int
        var trimmedBySettings: Int
        var trimmedDeleted: Int
        var segmentsBefore: Int
        var segmentsAfter: Int
        var defects: [String]
        var unfinished: [String]
    }

    private func running(
        over merging: (any MergingSegmentStore)?, _ body: (StreamsFunction) async throws -> Void
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let log = Log(
            table: store, segments: store, time: time, makeAppendID: AppendID.random, logger: logger)
        let function = StreamsFunction(
            log: log, mergingStore: merging,
            configuration: StreamsHandler.Configuration(storeName: "memory", version: "1.2.3"),
            streamsAnswers: false, time: time, metrics: RequestMetrics(factory: PrometheusRegistry()), logger: logger
        ) { "" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await log.run() }
            defer { log.close() }
            try await body(function)
        }
    }

    private func invoke(_ function: StreamsFunction, _ event: String) async throws -> [UInt8] {
        let invocation = Invocation(
            id: "id", deadlineMilliseconds: time.now().milliseconds + 28_000, event: Array(event.utf8))
        guard case .whole(let document) = try await function.handle(invocation) else {
            Issue.record("it was streamed")
            return []
        }
        return document
    }

    private func maintain(_ function: StreamsFunction) async throws -> Answer {
        let document = try await invoke(function, #"{ "maintain": true }"#)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Answer.self, from: Data(document))
    }

    private func produce(_ count: Int, to topic: String, on function: StreamsFunction) async throws {
        for number in 1...count {
            let event = LambdaFront.httpEvent(
                APIRequest(
                    method: .post, target: "/topics/\(topic)/produce", body: Array(#"{"payload":\#(number)}"#.utf8)))
            let text = String(decoding: try JSONSerialization.data(withJSONObject: event), as: UTF8.self)
            let answer = String(decoding: try await invoke(function, text), as: UTF8.self)
            try #require(answer.hasPrefix(#"{"statusCode":200"#), "\(answer)")
        }
    }

    @Test("merges what is old in all topics, and says so in numbers")
    func merges() async throws {
        try await running(over: store) { function in
            try await produce(20, to: "a", on: function)
            try await produce(17, to: "b", on: function)
            time.advance(by: .seconds(3600))
            let answer = try await maintain(function)
            #expect(
                answer
                    == Answer(
                        topics: 2, merges: 2, holesClosed: 0, trimmedBySettings: 0, trimmedDeleted: 0,
                        segmentsBefore: 37, segmentsAfter: 2, defects: [], unfinished: []))
            #expect(try await maintain(function).merges == 0)
        }
    }

    @Test("leaves the rest to the next event where the time is nearly up")
    func stopsInTime() async throws {
        let slow = SlowListStore(store) { time.advance(by: .seconds(24)) }
        try await running(over: slow) { function in
            try await produce(20, to: "a", on: function)
            time.advance(by: .seconds(3600))
            let answer = try await maintain(function)
            #expect(answer.merges == 0 && answer.unfinished.count == 1)
        }
        try await running(over: store) { function in
            let answer = try await maintain(function)
            #expect(answer.merges == 1)
        }
    }

    @Test("answers at the deadline though the store does not")
    func answersInTime() async throws {
        let gate = Gate()
        let (calls, call) = AsyncStream<Void>.makeStream()
        let silent = SlowListStore(store) {
            call.yield()
            await Task { try? await gate.pass() }.value
        }
        try await running(over: silent) { function in
            async let maintained = maintain(function)
            for await _ in calls { break }
            let passing = Task {
                while !Task.isCancelled {
                    _ = time.advanceToNextSleeper()
                    await Task.yield()
                }
            }
            let answer = try await maintained
            passing.cancel()
            #expect(answer.topics == 0 && answer.unfinished.first?.hasPrefix("The function's time was up") == true)
            gate.open()
        }
    }

    @Test(
        "an event that asks for anything else beside, or says it otherwise, is refused",
        arguments: [
            #"{"maintain":false}"#, #"{"maintain":1}"#, #"{"maintain":"true"}"#, #"{"maintain":null}"#,
            #"{"maintain":[true]}"#, #"{"Maintain":true}"#, #"{"maintain":true,"topics":["a"]}"#,
            #"{"maintain":true,"again":true}"#, #"{"maintain":true,"httpMethod":"GET","path":"/"}"#,
        ])
    func refusals(event: String) async throws {
        try await running(over: store) { function in
            do {
                _ = try await invoke(function, event)
                Issue.record("it was taken")
            } catch let failure as InvocationFailure {
                #expect(failure.type == "Function.EventNotSupported")
                #expect(failure.message.contains(#"{"maintain": true}"#))
            }
        }
    }
}

/// A store on which something happens before it lists topics.
private struct SlowListStore: MergingSegmentStore {
    private let store: InMemoryStore
    private let beforeList: @Sendable () async -> Void

    init(_ store: InMemoryStore, beforeList: @escaping @Sendable () async -> Void) {
        self.store = store
        self.beforeList = beforeList
    }

    var keysPerList: Int { store.keysPerList }
    var deletesPerCall: Int { store.deletesPerCall }

    func storedTopics(after: String, limit: Int) async throws(StoreError) -> [TopicName] {
        await beforeList()
        return await store.storedTopics(after: after, limit: limit)
    }

    func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        await store.put(segment, signedAt: signedAt)
    }

    func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] { await store.get(keys) }

    func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        await store.list(topic, from: from, limit: limit)
    }

    func getVersions(_ keys: [SegmentKey]) async throws(StoreError) -> [StoredSegment?] {
        await store.getVersions(keys)
    }

    func replace(_ version: SegmentVersion, with segment: Segment) async throws(StoreError) -> Bool {
        await store.replace(version, with: segment)
    }

    func delete(_ key: SegmentKey, _ version: SegmentVersion) async throws(StoreError) -> Bool {
        await store.delete(key, version)
    }

    func delete(_ keys: [SegmentKey]) async throws(StoreError) { await store.delete(keys) }
}
