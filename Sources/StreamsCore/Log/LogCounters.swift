import Synchronization

/// Counts of what a log did, for metrics and tests; each only ever grows.
package final class LogCounters: Sendable {
    private let appendRequestCount = Atomic<Int>(0)
    private let messageCount = Atomic<Int>(0)
    private let segmentCount = Atomic<Int>(0)
    private let reclaimCount = Atomic<Int>(0)
    private let fillerCount = Atomic<Int>(0)
    private let closureCount = Atomic<Int>(0)
    private let reopeningCount = Atomic<Int>(0)

    /// One moment's counts.
    package struct Snapshot: Sendable, Equatable {
        /// Append requests acknowledged.
        package var appendRequests: Int
        /// Messages acknowledged.
        package var messages: Int
        /// Segments stored for them.
        package var segments: Int
        /// Claims taken anew because a reader had closed the first one.
        package var reclaims: Int
        /// Fillers stored.
        package var fillers: Int
        /// Topics closed since their counter was behind their messages.
        package var closures: Int
        /// Topics opened again after that.
        package var reopenings: Int
    }

    /// The counts as they are.
    package var snapshot: Snapshot {
        Snapshot(
            appendRequests: appendRequestCount.load(ordering: .relaxed),
            messages: messageCount.load(ordering: .relaxed),
            segments: segmentCount.load(ordering: .relaxed),
            reclaims: reclaimCount.load(ordering: .relaxed),
            fillers: fillerCount.load(ordering: .relaxed),
            closures: closureCount.load(ordering: .relaxed),
            reopenings: reopeningCount.load(ordering: .relaxed))
    }

    func appended(requests: Int, messages: Int) {
        appendRequestCount.add(requests, ordering: .relaxed)
        messageCount.add(messages, ordering: .relaxed)
        segmentCount.add(1, ordering: .relaxed)
    }

    func reclaimed() { reclaimCount.add(1, ordering: .relaxed) }

    func filled() { fillerCount.add(1, ordering: .relaxed) }

    func closed() { closureCount.add(1, ordering: .relaxed) }

    func reopened() { reopeningCount.add(1, ordering: .relaxed) }
}
