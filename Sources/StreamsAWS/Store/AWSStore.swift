package import Logging
package import StreamsCore
package import StreamsModel
import Synchronization

/// Both storage ports on AWS: the table is DynamoDB, the segments are objects in a bucket of S3.
///
/// Keys, metadata, items and conditions are those of `docs/protocol.md`. It holds nothing that another process could
/// miss: any number of them, servers and Lambda functions, work on one bucket and table.
package final class AWSStore: Sendable {
    /// Which bucket and table, and how long the bucket keeps objects.
    package struct Configuration: Sendable {
        /// The bucket's name.
        package var bucket: String
        /// The table's name.
        package var table: String
        /// After how many days the bucket's lifecycle rule deletes objects; `nil` where it has none.
        ///
        /// The bucket does the deleting; this number tells what is gone from what was never written.
        package var retentionDays: Int?

        /// Names a bucket and a table.
        package init(bucket: String, table: String, retentionDays: Int? = 30) {
            self.bucket = bucket
            self.table = table
            self.retentionDays = retentionDays
        }
    }

    let configuration: Configuration
    let objects: S3Client
    let items: DynamoDBClient
    let time: any TimeSource
    let logger: Logger
    let periods: Periods
    /// Marks that are past retention, as the newest claims showed them: the next claim of the topic removes them.
    let staleMarks = Mutex<[TopicName: Set<Int>]>([:])

    /// Makes a store; sends nothing yet.
    ///
    /// The log must run on the connection's clock, which is the one that requests are signed with.
    package init(_ configuration: Configuration, connection: AWSConnection, logger: Logger) {
        self.configuration = configuration
        self.objects = S3Client(connection, bucket: configuration.bucket)
        self.items = DynamoDBClient(connection, table: configuration.table)
        self.time = connection.clock
        self.logger = logger
        self.periods = Periods(retentionDays: configuration.retentionDays)
    }

    /// Asks the table and the bucket for something small that costs little, so that wrong names, credentials and
    /// permissions to read show before the first request.
    ///
    /// - Throws: `misconfigured` for what an operator has to change; anything else may pass.
    package func check() async throws(StoreError) {
        do throws(AWSError) {
            let anyTopic = DynamoDBQuery(
                index: TopicItem.kindIndex, keyCondition: "#kind = :kind", names: ["#kind": TopicItem.Attribute.kind],
                values: [":kind": .string(TopicItem.kind)], limit: 1)
            _ = try await items.query(anyTopic, deadline: Deadline.current)
        } catch {
            // A table of the prototype has none; only listing topics needs it.
            guard error.code == .noSuchIndex else { throw error.storeError }
            logger.warning("topics can not be listed", metadata: ["error": "\(error)"])
        }
        _ = try await calling { () async throws(AWSError) in
            try await objects.getObject("topics/", deadline: Deadline.current)
        }
    }

    /// Runs calls of the clients, whose errors become the port's.
    func calling<Value: Sendable>(
        _ body: () async throws(AWSError) -> Value
    ) async throws(StoreError) -> Value {
        do {
            return try await body()
        } catch {
            throw error.storeError
        }
    }
}
