import StreamsModel
import Synchronization

/// Counts of what a log did, for metrics and tests; each only ever grows.
package final class LogCounters: Sendable {
    private let appendRequestCount = Atomic<Int>(0)
    private let messageCount = Atomic<Int>(0)
    private let segmentCount = Atomic<Int>(0)
    private let reclaimCount = Atomic<Int>(0)
    private let fillerCount = Atomic<Int>(0)
    private let replayCount = Atomic<Int>(0)
    private let mismatchCount = Atomic<Int>(0)
    private let fencedCount = Atomic<Int>(0)
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
        /// Requests answered with what an earlier one with the same idempotency key had written.
        package var replays: Int
        /// Appends refused since the topic did not end where they expected it to.
        package var mismatches: Int
        /// Appends refused for their fencing token.
        package var fenced: Int
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
            replays: replayCount.load(ordering: .relaxed),
            mismatches: mismatchCount.load(ordering: .relaxed),
            fenced: fencedCount.load(ordering: .relaxed),
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

    func replayed() { replayCount.add(1, ordering: .relaxed) }

    /// Counts a refusal for a condition; other codes are counted elsewhere.
    func refused(_ code: ErrorCode) {
        switch code {
        case .offsetMismatch: mismatchCount.add(1, ordering: .relaxed)
        case .fenced: fencedCount.add(1, ordering: .relaxed)
        default: break
        }
    }

    func closed() { closureCount.add(1, ordering: .relaxed) }

    func reopened() { reopeningCount.add(1, ordering: .relaxed) }
}
