import StreamsCore

/// Decides, after each failed try of a call, whether and when there is another one.
///
/// A pure value: it knows no clock and no network. Which failures are tried again:
///
/// - throttled, failed on AWS's side, no connection, no answer, a conflict: after a pause;
/// - a connection that was closed: the first time at once, since it is mostly one that was idle too long;
/// - a wrong clock, expired credentials: once each, at once, where the cause has gone meanwhile;
/// - all else: never.
struct CallRetries {
    /// What to do next.
    enum Step: Equatable {
        /// Try again, after a random pause of at most this much, for this many tokens of the budget.
        case retry(pauseMaximum: Duration, cost: Int)
        /// Give up.
        case stop
    }

    private let policy: AWSRetryPolicy
    private let isWrite: Bool
    private var pauses = 0
    private var hasReconnected = false
    private var hasCorrectedClock = false
    private var hasRenewedCredentials = false
    private var lastCost = RetryBudget.successGain

    /// What the tries so far may have done.
    private(set) var effect = StoreError.Effect.none

    init(_ policy: AWSRetryPolicy, isWrite: Bool) {
        self.policy = policy
        self.isWrite = isWrite
    }

    /// What the call gives back to the budget now that it has succeeded.
    var gain: Int { lastCost }

    mutating func step(after failure: TryFailure) -> Step {
        if isWrite, failure.effect == .unknown { effect = .unknown }
        switch failure.kind {
        case .cancelled, .permanent, .clockSkew(isCorrected: false): return .stop
        case .clockSkew(isCorrected: true): return once(&hasCorrectedClock)
        case .expiredCredentials: return once(&hasRenewedCredentials)
        case .connectionClosed where !hasReconnected: return once(&hasReconnected)
        case .timedOut: return retry(cost: RetryBudget.timeoutCost)
        case .notConnected, .connectionClosed, .throttled, .serverFault, .conflict:
            return retry(cost: RetryBudget.retryCost)
        }
    }

    private func once(_ isUsed: inout Bool) -> Step {
        guard !isUsed else { return .stop }
        isUsed = true
        return .retry(pauseMaximum: .zero, cost: 0)
    }

    private mutating func retry(cost: Int) -> Step {
        let doublings = min(pauses, 16)
        pauses += 1
        lastCost = cost
        return .retry(pauseMaximum: min(policy.pause * (1 << doublings), policy.pauseMaximum), cost: cost)
    }
}
