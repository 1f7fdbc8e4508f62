/// What can go wrong in a simulated world.
package enum Fault: String, CaseIterable, Sendable, Comparable {
    /// There is no connection: nothing is sent.
    case notConnected
    /// The request never arrives.
    case requestLost
    /// The request takes effect, and its answer never comes.
    case answerLost
    /// 503 or 500, without effect.
    case serverFault
    /// 500, after the effect.
    case serverFaultAfterEffect
    /// A time in which one of the services refuses everything as too much.
    case throttling
    /// 409: another conditional write of the key is being decided.
    case conflict
    /// The request arrives a second time, up to hours later.
    case duplicate
    /// Seconds on the way.
    case slow
    /// Minutes or hours on the way.
    case late
    /// A process dies between any two steps.
    case crash
    /// A process stands still, and goes on minutes, hours or days later.
    case freeze
    /// A process's wall clock is wrong by up to hours, or is set while it runs.
    case wrongClock
    /// The topic's item is lost or set back while nobody writes.
    case lostItem
    /// The bucket deletes what is past retention, in any order; days go by.
    case expiry

    package static func < (left: Fault, right: Fault) -> Bool { left.rawValue < right.rawValue }
}

/// How often each fault is met by a request, or by a process, in thousandths; what is absent never is.
package struct FaultProfile: Sendable, Equatable {
    /// The frequencies.
    package var permille: [Fault: Int]

    /// Makes a profile.
    package init(_ permille: [Fault: Int] = [:]) {
        self.permille = permille
    }

    /// A profile in which some faults are frequent, some rare, and some are not met at all.
    ///
    /// That finds more than all faults at once: A. Groce et al., "Swarm testing", ISSTA 2012.
    static func drawn(from choices: Choices, among faults: [Fault] = Fault.allCases) -> FaultProfile {
        var profile = FaultProfile()
        for fault in faults {
            let frequency = choices.one(of: [0, 0, 5, 20, 80])
            if frequency > 0 { profile.permille[fault] = frequency }
        }
        return profile
    }

    /// Whether a fault is met in this world at all.
    package func has(_ fault: Fault) -> Bool { permille[fault, default: 0] > 0 }

    /// The profile without some faults.
    package func without(_ faults: [Fault]) -> FaultProfile {
        FaultProfile(permille.filter { !faults.contains($0.key) })
    }
}
