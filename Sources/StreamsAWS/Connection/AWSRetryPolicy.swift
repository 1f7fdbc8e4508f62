/// How long calls, tries and pauses are.
package struct AWSRetryPolicy: Sendable {
    /// The time of a whole call, retries included, where its caller gives no deadline.
    package var callTime: Duration = .seconds(10)
    /// The time of one try, from connecting to the last byte of the answer.
    package var tryTime: Duration = .seconds(5)
    /// The longest pause before the first retry; doubled for each further one.
    package var pause: Duration = .milliseconds(50)
    /// The longest pause before any retry.
    package var pauseMaximum: Duration = .seconds(2)
    /// The tokens that a process has for retries: see ``RetryBudget``.
    package var budgetTokens = 500

    /// The usual times.
    package init() {}
}
