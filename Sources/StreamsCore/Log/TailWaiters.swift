package import StreamsModel

/// The readers that wait for a topic to grow, as a state machine; callers resume the continuations it returns.
///
/// A missed wake-up would be a reader that sleeps while its message is there. It can not happen: a reader first
/// watches the topic, then notes the end announced so far, then looks at the topic, then registers with what it noted.
/// Registering compares that with the newest end announced, and every append announces its end after it became
/// visible. (The end that the look itself found would not do: it may cover a claim whose write ends meanwhile.)
package struct TailWaiters {
    private struct Topic {
        var announcedEnd: Offset = .first
        var watcherCount = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private var topics: [TopicName: Topic] = [:]
    private var polledTopics: Set<TopicName> = []
    private var nextIdentifier: UInt64 = 0
    private var isClosed = false

    /// Makes an empty set.
    package init() {}

    /// Begins to keep track of a topic's end for one more reader; returns the reader's name here.
    package mutating func watch(_ topic: TopicName) -> UInt64 {
        topics[topic, default: Topic()].watcherCount += 1
        nextIdentifier += 1
        return nextIdentifier
    }

    /// Ends what ``watch(_:)`` began; the last reader of a topic takes its record along.
    package mutating func unwatch(_ topic: TopicName) {
        guard let count = topics[topic]?.watcherCount else { return }
        if count == 1 {
            topics[topic] = nil
        } else {
            topics[topic]?.watcherCount = count - 1
        }
    }

    /// Whether a task that polls the topic has to be started: nobody polls it yet.
    package mutating func beginPolling(_ topic: TopicName) -> Bool { polledTopics.insert(topic).inserted }

    /// Whether the task that polls a topic has to go on, since somebody watches it; otherwise its work is over.
    package mutating func goesOnPolling(_ topic: TopicName) -> Bool {
        if topics[topic] != nil { return true }
        polledTopics.remove(topic)
        return false
    }

    /// The newest end announced since somebody watches the topic.
    package func announcedEnd(of topic: TopicName) -> Offset { topics[topic]?.announcedEnd ?? .first }

    /// Registers a watching reader that noted `end` before it looked; returns whether it may wait.
    ///
    /// `false`: the topic has grown meanwhile, or the log is closing, and the continuation must be resumed at once.
    package mutating func register(
        _ continuation: CheckedContinuation<Void, Never>, as identifier: UInt64, for topic: TopicName,
        beyond end: Offset
    ) -> Bool {
        guard !isClosed, let announcedEnd = topics[topic]?.announcedEnd else { return false }
        guard announcedEnd <= end || Mutant.missWakeUps.isActive else { return false }
        topics[topic]?.waiters[identifier] = continuation
        return true
    }

    /// Takes a waiter out, if it still waits.
    package mutating func remove(_ identifier: UInt64, from topic: TopicName) -> CheckedContinuation<Void, Never>? {
        topics[topic]?.waiters.removeValue(forKey: identifier)
    }

    /// Notes that the topic now ends at `end`; returns the readers to be woken.
    package mutating func announce(end: Offset, of topic: TopicName) -> [CheckedContinuation<Void, Never>] {
        guard let announcedEnd = topics[topic]?.announcedEnd, announcedEnd < end else { return [] }
        topics[topic]?.announcedEnd = end
        let woken = topics[topic]?.waiters ?? [:]
        topics[topic]?.waiters = [:]
        return Self.inOrder(woken)
    }

    /// Lets nobody wait from now on; returns everybody who does.
    package mutating func close() -> [CheckedContinuation<Void, Never>] {
        isClosed = true
        let woken = topics.sorted { $0.key < $1.key }.flatMap { Self.inOrder($0.value.waiters) }
        for topic in topics.keys { topics[topic]?.waiters = [:] }
        return woken
    }

    /// Waiters in the order in which they came: fair, and the same in every run.
    private static func inOrder(
        _ waiters: [UInt64: CheckedContinuation<Void, Never>]
    ) -> [CheckedContinuation<Void, Never>] {
        waiters.sorted { $0.key < $1.key }.map(\.value)
    }

    /// How many readers wait for a topic.
    package func waiterCount(of topic: TopicName) -> Int { topics[topic]?.waiters.count ?? 0 }

    /// The topics that somebody watches, with the newest end announced.
    package var watchedTopics: [TopicName: Offset] { topics.mapValues(\.announcedEnd) }
}
