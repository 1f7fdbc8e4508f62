/// A failure of a storage port, translated by the adapter at its own border.
package struct StoreError: Error, Sendable {
    /// What a caller can do about it.
    package enum Code: Sendable, Equatable {
        /// The store does not answer or is too busy: the same call may succeed a little later.
        case unavailable
        /// The store has no room; only an operator can change that.
        case outOfSpace
        /// What is stored breaks the format.
        case corrupt
        /// The store is being closed.
        case closed
        /// The topic is closed for appends until its counter is recovered; `retryAfter` says how long.
        case recovering
        /// The write carries a time that the store no longer takes; nothing was written by this call.
        case signedTooLongAgo
        /// The store refuses the call for a reason that only an operator can remove: a missing permission, bucket or
        /// table, wrong credentials.
        case misconfigured
    }

    /// What may have happened to the store in spite of the failure.
    package enum Effect: Sendable, Equatable {
        /// Certainly nothing.
        case none
        /// The call may have taken effect, now or later.
        case unknown
    }

    /// What a caller can do about it.
    package var code: Code
    /// What may have happened in spite of it.
    package var effect: Effect
    /// A sentence for the operator.
    package var message: String
    /// When the same call may succeed, where the store knows.
    package var retryAfter: Duration?
    /// Whether the caller may well try again by itself; not so where the adapter has done that, or ruled it out.
    package var isWorthRetrying = true

    /// Makes an error.
    package init(_ code: Code, effect: Effect, _ message: String) {
        self.code = code
        self.effect = effect
        self.message = message
    }
}
