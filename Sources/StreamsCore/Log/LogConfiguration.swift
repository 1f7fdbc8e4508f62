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
    /// How often the end of a topic is looked up for waiting readers, for stores that other processes write to;
    /// `nil` where every append passes this log.
    package var tailPollInterval: Duration?

    /// The settings for a store that only this process writes to.
    package init() {}
}
