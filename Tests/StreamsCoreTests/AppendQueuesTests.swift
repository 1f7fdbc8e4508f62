@testable import StreamsCore
import StreamsModel
import Testing

@Suite("The append queues")
struct AppendQueuesTests {
    let topic: TopicName
    let lane: AppendLane
    let otherLane: AppendLane

    init() throws {
        topic = try TopicName("t")
        lane = AppendLane(topic)
        otherLane = AppendLane(try TopicName("u"))
    }

    @Test("start one drain for a topic, and another only when that has ended")
    func drains() async throws {
        try await withPending([1, 1, 1, 1]) { appends in
            var queues = AppendQueues(messagesMaximum: 100, bytesMaximum: 1000)
            #expect(queues.enqueue(appends[0], to: lane) == .startDraining)
            #expect(queues.enqueue(appends[1], to: lane) == .none)
            #expect(queues.enqueue(appends[2], to: otherLane) == .startDraining)
            #expect(queues.activeLaneCount == 2)
            #expect(queues.takeNext(of: lane)?.count == 2)
            // Nothing waits, but the drain has not heard so yet.
            #expect(queues.enqueue(appends[3], to: lane) == .none)
            #expect(queues.waitingCount(of: lane) == 1)
            #expect(queues.takeNext(of: lane)?.count == 1)
            #expect(queues.takeNext(of: lane) == nil)
            #expect(queues.activeLaneCount == 1)
            #expect(queues.enqueue(appends[0], to: lane) == .startDraining)
        }
    }

    @Test("give out what waits in the order in which it came")
    func order() async throws {
        try await withPending(Array(1...9)) { appends in
            var queues = AppendQueues(messagesMaximum: 100, bytesMaximum: .max)
            for append in appends { _ = queues.enqueue(append, to: lane) }
            let taken = queues.takeNext(of: lane) ?? []
            #expect(taken.map(\.batch.messages.count) == Array(1...9))
        }
    }

    @Test(
        "bound the messages of a combined batch, but never split a request or let one wait for ever",
        arguments: [
            ([1, 1, 1, 1, 1], [[1, 1, 1], [1, 1]]), ([2, 2, 1], [[2], [2, 1]]), ([3, 1], [[3], [1]]),
            ([7, 1, 1], [[7], [1, 1]]), ([1, 7, 1], [[1], [7], [1]]), ([1, 2, 3], [[1, 2], [3]]),
        ])
    func messageBound(_ counts: [Int], _ expected: [[Int]]) async throws {
        try await withPending(counts) { appends in
            var queues = AppendQueues(messagesMaximum: 3, bytesMaximum: .max)
            #expect(drain(&queues, appends) == expected)
        }
    }

    @Test(
        "bound the bytes of a combined batch",
        arguments: [
            (3, [[1, 1, 1], [1]]), (4, [[1, 1, 1, 1]]), (1, [[1], [1], [1], [1]]), (0, [[1], [1], [1], [1]]),
        ])
    func byteBound(_ bytesMaximum: Int, _ expected: [[Int]]) async throws {
        try await withPending([1, 1, 1, 1]) { appends in
            var queues = AppendQueues(messagesMaximum: .max, bytesMaximum: bytesMaximum)
            #expect(drain(&queues, appends) == expected)
        }
    }

    @Test("refuse what comes after they were closed, and still give out what waits")
    func close() async throws {
        try await withPending([1, 2, 3]) { appends in
            var queues = AppendQueues(messagesMaximum: 100, bytesMaximum: 1000)
            _ = queues.enqueue(appends[0], to: lane)
            queues.close()
            #expect(queues.isClosed)
            #expect(queues.enqueue(appends[1], to: lane) == .refuse)
            #expect(queues.enqueue(appends[2], to: otherLane) == .refuse)
            #expect(queues.takeNext(of: lane)?.map(\.batch.messages.count) == [1])
            #expect(queues.takeNext(of: lane) == nil)
            #expect(queues.activeLaneCount == 0)
        }
    }

    private func drain(_ queues: inout AppendQueues, _ appends: [PendingAppend]) -> [[Int]] {
        for append in appends { _ = queues.enqueue(append, to: lane) }
        var taken: [[Int]] = []
        while let next = queues.takeNext(of: lane) { taken.append(next.map(\.batch.messages.count)) }
        return taken
    }

    /// Makes appends of so many messages, each message one byte.
    private func withPending(_ counts: [Int], _ body: ([PendingAppend]) throws -> Void) async throws {
        let made = Shared<[PendingAppend]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, count) in counts.enumerated() {
                let batch = try MessageBatch.of(Array(repeating: MessageText("1"), count: count))
                group.addTask {
                    _ = await withCheckedContinuation { continuation in
                        made.change { $0.append(PendingAppend(batch: batch, continuation: continuation)) }
                    }
                }
                while made.value.count <= index { await Task.yield() }
            }
            let appends = made.value
            defer {
                for append in appends {
                    append.continuation.resume(returning: .success(AppendReceipt(range: 1..<2)))
                }
            }
            try body(appends)
        }
    }
}
