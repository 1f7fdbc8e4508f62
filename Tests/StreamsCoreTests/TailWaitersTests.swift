import StreamsCore
import StreamsModel
import Testing

@Suite("The tail waiters")
struct TailWaitersTests {
    let topic: TopicName
    let other: TopicName

    init() throws {
        topic = try TopicName("t")
        other = try TopicName("u")
    }

    @Test("wake those who saw less than what is announced, once, and nobody else")
    func announce() async {
        await withContinuations { continuation, second, third in
            var waiters = TailWaiters()
            let one = waiters.watch(topic)
            let two = waiters.watch(topic)
            let elsewhere = waiters.watch(other)
            #expect(one != two && two != elsewhere)
            expect(waiters.register(continuation, as: one, for: topic, beyond: 5))
            expect(waiters.register(second, as: two, for: topic, beyond: 5))
            expect(waiters.register(third, as: elsewhere, for: other, beyond: 5))
            #expect(waiters.announce(end: 6, of: topic).count == 2)
            #expect(waiters.announce(end: 7, of: topic).isEmpty)
            #expect(waiters.announce(end: 6, of: other).count == 1)
        }
    }

    @Test("let nobody wait for what was announced since the watch began")
    func registerLate() async {
        await withContinuations { continuation, _, _ in
            var waiters = TailWaiters()
            let waiter = waiters.watch(topic)
            #expect(waiters.announce(end: 6, of: topic).isEmpty)
            expect(!waiters.register(continuation, as: waiter, for: topic, beyond: 5))
            // Nothing was kept of the refused one.
            #expect(waiters.remove(waiter, from: topic) == nil)
            expect(waiters.register(continuation, as: waiter, for: topic, beyond: 6))
            #expect(waiters.announce(end: 6, of: topic).isEmpty)
            #expect(waiters.announce(end: 3, of: topic).isEmpty)
            #expect(waiters.announce(end: 7, of: topic).count == 1)
        }
    }

    @Test("let nobody wait who does not watch")
    func registerWithoutWatch() async {
        await withContinuations { continuation, _, _ in
            var waiters = TailWaiters()
            expect(!waiters.register(continuation, as: 1, for: topic, beyond: 5))
        }
    }

    @Test("take out one waiter and leave the others")
    func remove() async {
        await withContinuations { continuation, second, _ in
            var waiters = TailWaiters()
            let one = waiters.watch(topic)
            let two = waiters.watch(topic)
            expect(waiters.register(continuation, as: one, for: topic, beyond: 1))
            expect(waiters.register(second, as: two, for: topic, beyond: 1))
            #expect(waiters.remove(one, from: topic) != nil)
            #expect(waiters.remove(one, from: topic) == nil)
            #expect(waiters.announce(end: 2, of: topic).count == 1)
            #expect(waiters.remove(two, from: topic) == nil)
        }
    }

    @Test("keep a topic's record as long as somebody watches it")
    func watch() {
        var waiters = TailWaiters()
        _ = waiters.watch(topic)
        _ = waiters.watch(topic)
        #expect(waiters.announce(end: 9, of: topic).isEmpty)
        #expect(waiters.watchedTopics == [topic: 9])
        waiters.unwatch(topic)
        #expect(waiters.watchedTopics == [topic: 9])
        waiters.unwatch(topic)
        #expect(waiters.watchedTopics.isEmpty)
        waiters.unwatch(topic)
        #expect(waiters.announce(end: 10, of: topic).isEmpty)
        #expect(waiters.watchedTopics.isEmpty)
    }

    @Test("wake everybody when they are closed, and let nobody wait after")
    func close() async {
        await withContinuations { continuation, second, third in
            var waiters = TailWaiters()
            let one = waiters.watch(topic)
            let two = waiters.watch(other)
            expect(waiters.register(continuation, as: one, for: topic, beyond: 1))
            expect(waiters.register(second, as: two, for: other, beyond: 1))
            #expect(waiters.close().count == 2)
            #expect(waiters.close().isEmpty)
            expect(!waiters.register(third, as: one, for: topic, beyond: 1))
        }
    }

    /// `#expect` can not take a call that changes what it is called on together with a continuation.
    private func expect(_ condition: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(condition, sourceLocation: sourceLocation)
    }

    private typealias Continuation = CheckedContinuation<Void, Never>

    /// Three continuations to play with; they are resumed here, whatever the state machine returned.
    private func withContinuations(_ body: (Continuation, Continuation, Continuation) -> Void) async {
        let made = Shared<[Continuation]>([])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    await withCheckedContinuation { continuation in made.change { $0.append(continuation) } }
                }
            }
            while made.value.count < 3 { await Task.yield() }
            let all = made.value
            body(all[0], all[1], all[2])
            for continuation in all { continuation.resume() }
        }
    }
}
