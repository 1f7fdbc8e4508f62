package import StreamsModel

/// The log's own settings.
package struct LogConfiguration: Sendable {
    /// Limits on requests, shared with the fronts.
    package var limits = Limits()
    /// How old the evidence of a hole must be before a reader closes it.
    ///
    /// Too short costs writers claims, never data.
    package var holeTimeout: Duration = .seconds(5)
    /// How often a waiting reader looks again at a hole that it may not close yet.
    package var holeRecheckInterval: Duration = .milliseconds(100)
    /// How long an append may try, from taking its claim to its answer.
    package var appendTimeout: Duration = .seconds(10)
    /// The largest segment that natural batching builds, in bytes of messages as sent; one request may be larger.
    package var segmentBytes = 1024 * 1024
    /// First pause between two tries of a storage call; doubled each time, up to ``retryPauseMaximum``.
    package var retryPause: Duration = .milliseconds(20)
    /// Longest pause between two tries.
    package var retryPauseMaximum: Duration = .seconds(1)
    /// How often the end of a topic is looked up for waiting readers: at first, and after growth, at the lower bound,
    /// then ever more slowly down to the upper one.
    ///
    /// For stores that other processes write to; `nil` where every append passes this log.
    package var tailPollInterval: ClosedRange<Duration>?
    /// How much of an append's time is kept for settling its claim when the store does not answer.
    package var settleTimeout: Duration = .seconds(1)
    /// How long a topic whose counter went back stays closed for claims: until no write that was signed before can
    /// land any more.
    ///
    /// Amazon S3 refuses requests signed more than 15 minutes ago; the rest is for clocks, which may each be off by
    /// half a minute.
    package var recoveryWait: Duration = .seconds(18 * 60)
    /// An item whose newest claim is older than this may have come back from a backup: before it is claimed from, a list
    /// shows that nothing is stored above its end.
    package var trustedClaimAge: Duration = .seconds(15 * 60)

    /// How long an idempotency key is remembered, counted from its first claim.
    package var idempotencyExpiry: Duration = .seconds(24 * 60 * 60)

    /// The settings for a store that only this process writes to.
    package init() {}

    /// The settings for a store that other processes write to as well.
    package static var shared: LogConfiguration {
        var configuration = LogConfiguration()
        configuration.tailPollInterval = .milliseconds(50)...(.seconds(1))
        return configuration
    }
}
