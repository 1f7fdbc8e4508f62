import Synchronization

/// Counts of what consumer groups did, for metrics and tests; each only ever grows.
package final class GroupCounters: Sendable {
    private let receiveCount = Atomic<Int>(0)
    private let ackCount = Atomic<Int>(0)
    private let leaseCount = Atomic<Int>(0)
    private let lossCount = Atomic<Int>(0)

    /// One moment's counts.
    package struct Snapshot: Sendable, Equatable {
        /// Receives answered, empty ones too.
        package var receives: Int
        /// Commits answered.
        package var acks: Int
        /// New leases.
        package var leasesTaken: Int
        /// Requests refused since their lease was lost.
        package var leasesLost: Int
    }

    /// The counts as they are.
    package var snapshot: Snapshot {
        Snapshot(
            receives: receiveCount.load(ordering: .relaxed), acks: ackCount.load(ordering: .relaxed),
            leasesTaken: leaseCount.load(ordering: .relaxed), leasesLost: lossCount.load(ordering: .relaxed))
    }

    func received() { receiveCount.add(1, ordering: .relaxed) }

    func acknowledged() { ackCount.add(1, ordering: .relaxed) }

    func leaseTaken() { leaseCount.add(1, ordering: .relaxed) }

    func leaseLost() { lossCount.add(1, ordering: .relaxed) }
}
