package import StreamsModel

/// Why a group does not do what it was asked for.
package enum GroupRefusal: Error, Sendable, Equatable {
    /// Another consumer holds the lease.
    case leaseHeld(until: Timestamp)
    /// The caller does not hold the lease, or no longer.
    case leaseLost
    /// The offset lies below what is committed.
    case belowCommitted(Offset)
    /// The offset lies above what was handed out under the lease.
    case notDelivered(Offset)
}

/// What a consumer may do whose receive is admitted.
package struct GroupTurn: Sendable, Equatable {
    /// The generation that it receives under.
    package var generation: Generation
    /// Where its messages begin.
    package var position: Offset
    /// Whether the lease is a new one.
    package var isNew: Bool
}

/// What changes a group, as decisions alone: the table performs them under the condition that nothing changed meanwhile.
extension Group {
    /// Whether a consumer may receive, and from where.
    ///
    /// The holder goes on after what it was handed. Everybody else, the holder of an expired lease too, begins a new
    /// generation at the committed offset, once there is no lease or its time is up. So does a holder that names
    /// another generation than the lease's: it does not know of all that was handed to it.
    package func turn(
        of consumer: String, knowing known: Generation? = nil, at now: Timestamp
    ) throws(GroupRefusal) -> GroupTurn {
        if let lease, now < lease.expiresAt {
            guard lease.consumer == consumer else { throw .leaseHeld(until: lease.expiresAt) }
            if known == nil || known == generation {
                return GroupTurn(generation: generation, position: delivered, isNew: false)
            }
        }
        let position = Mutant.takeOverAtDelivered.isActive ? delivered : committed
        return GroupTurn(generation: generation.next, position: position, isNew: true)
    }

    /// The group when everything below `next` was handed out in a turn.
    package func handingOut(
        to next: Offset, in turn: GroupTurn, under lease: GroupLease, version: AppendID
    ) -> Group {
        var group = self
        group.generation = turn.generation
        group.delivered = next
        group.lease = lease
        group.version = version
        return group
    }

    /// The group when its holder is done with everything below an offset.
    ///
    /// A lease whose time is up counts as long as nobody took another: the generation tells.
    package func committing(_ request: CommitRequest) throws(GroupRefusal) -> Group {
        if !Mutant.commitUnderAnyGeneration.isActive {
            guard generation == request.generation, lease?.consumer == request.consumer else { throw .leaseLost }
        }
        guard request.offset >= committed else { throw .belowCommitted(committed) }
        guard request.offset <= delivered else { throw .notDelivered(delivered) }
        var group = self
        group.committed = request.offset
        if let length = lease?.length { group.lease?.expiresAt = request.at.advanced(by: length) }
        group.version = request.version
        return group
    }

    /// The group when its holder gives it up; `nil` where that has happened already.
    package func releasing(
        by consumer: String, in generation: Generation, version: AppendID
    ) throws(GroupRefusal) -> Group? {
        guard self.generation == generation else { throw .leaseLost }
        // Only a release leaves a generation without a lease.
        guard let lease else { return nil }
        guard lease.consumer == consumer else { throw .leaseLost }
        var group = self
        group.lease = nil
        group.version = version
        return group
    }

    /// The group when it is set to an offset: whoever held it does so no longer.
    package func seeking(to offset: Offset, version: AppendID) -> Group {
        var group = self
        group.committed = offset
        group.delivered = offset
        group.version = version
        if Mutant.seekKeepsLease.isActive { return group }
        group.generation = generation.next
        group.lease = nil
        return group
    }

    /// The group when it is deleted.
    package func removing(version: AppendID) -> Group {
        var group = self
        group.lease = nil
        group.isRemoved = true
        group.version = version
        return group
    }
}
