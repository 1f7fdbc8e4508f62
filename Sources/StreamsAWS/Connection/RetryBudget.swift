import Synchronization

/// What bounds the retries of a process when a service fails as a whole, so that they do not add to its load.
///
/// A bucket of tokens, as the AWS SDKs' standard retry mode has it (AWS SDKs and Tools Reference Guide, "Retry
/// behavior"): a retry takes 5 tokens, 10 after a time-out; a call that succeeds gives back what its last retry took,
/// or 1 where it needed none. Without tokens a call fails with its first failure.
package final class RetryBudget: Sendable {
    /// What a retry takes.
    package static let retryCost = 5
    /// What a retry after a time-out takes.
    package static let timeoutCost = 10
    /// What a call gives back that needed no retry.
    package static let successGain = 1

    private let tokens: Mutex<Int>
    private let maximum: Int

    /// Makes a full bucket.
    package init(tokens: Int) {
        self.maximum = tokens
        self.tokens = Mutex(tokens)
    }

    /// Takes tokens; returns whether there were enough.
    package func take(_ cost: Int) -> Bool {
        tokens.withLock { tokens in
            guard tokens >= cost else { return false }
            tokens -= cost
            return true
        }
    }

    /// Gives tokens back, up to a full bucket.
    package func give(_ gain: Int) {
        tokens.withLock { $0 = min($0 + gain, maximum) }
    }

    /// The tokens left.
    package var remaining: Int { tokens.withLock { $0 } }
}
