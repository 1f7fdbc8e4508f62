package import Logging
package import StreamsCore

/// The store on AWS with what belongs to it, as every program puts it together.
package struct AWSStorage: Sendable {
    /// Both ports.
    package let store: AWSStore
    /// What the store speaks through: the clock that the log must run on, and the counts of requests.
    package let connection: AWSConnection
    /// The settings of a log over this store.
    package let logConfiguration: LogConfiguration

    /// Puts a store together; sends nothing yet.
    ///
    /// - Throws: where region, endpoint or profile are set wrongly.
    package init(
        _ settings: AWSStoreSettings, environment: [String: String], time: any TimeSource, logger: Logger
    ) throws(AWSError) {
        connection = AWSConnection(
            try AWSConfiguration(environment: environment), clock: AWSClock(time, logger: logger), logger: logger)
        store = AWSStore(settings.store, connection: connection, logger: logger)
        var configuration = LogConfiguration.shared
        configuration.recoveryWait = settings.recoveryWait
        configuration.idempotencyExpiry = settings.idempotencyExpiry
        logConfiguration = configuration
    }

    /// The counts of requests, by the names of their metrics; within each by service and operation.
    package var requestCounts: [(name: String, counts: @Sendable () -> [String: Int])] {
        let counters = connection.counters
        return [
            ("streams_aws_requests_total", { counters.snapshot.requests }),
            ("streams_aws_retries_total", { counters.snapshot.retries }),
            ("streams_aws_throttles_total", { counters.snapshot.throttles }),
        ]
    }
}
