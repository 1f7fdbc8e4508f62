/// What consumers of a group do in a world.
package struct GroupPlan: Sendable {
    /// How many.
    package var consumerCount = 2
    /// How often each receives.
    package var receivesPerConsumer = 6
    /// For how long leases are taken, in seconds.
    package var leaseSeconds = 3
    /// For how many thousandths of its receives a consumer stands still for longer than its lease.
    package var pausePermille = 200
    /// For how many thousandths of its receives a consumer dies, and another comes in its place.
    package var deathPermille = 100
    /// For how many thousandths of its receives a consumer sets the group somewhere else before.
    package var seekPermille = 0
    /// For how many thousandths of its receives a consumer gives the lease up afterwards.
    package var releasePermille = 200

    static func drawn(from choices: Choices) -> GroupPlan {
        var plan = GroupPlan()
        plan.consumerCount = 1 + choices.below(3)
        plan.receivesPerConsumer = 3 + choices.below(6)
        plan.leaseSeconds = choices.one(of: [1, 3, 30])
        plan.pausePermille = choices.one(of: [0, 200, 500])
        plan.deathPermille = choices.one(of: [0, 100, 300])
        plan.seekPermille = choices.one(of: [0, 0, 200])
        plan.releasePermille = choices.one(of: [0, 300])
        return plan
    }
}

extension Scenario {
    /// Makes a world around a group: few readers beside it.
    mutating func gather(_ choices: Choices) {
        groups = .drawn(from: choices)
        writerCount = 1 + choices.below(2)
        readerCount = choices.below(2)
    }
}
