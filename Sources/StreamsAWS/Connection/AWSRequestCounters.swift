import Synchronization

/// Counts the HTTP requests sent to S3 and DynamoDB: each try is one, as AWS charges for each.
package final class AWSRequestCounters: Sendable {
    /// The counts at one moment, by service and operation, such as `s3.PutObject` or `dynamodb.UpdateItem`.
    package struct Snapshot: Sendable, Equatable {
        /// All requests sent, retries among them.
        package var requests: [String: Int] = [:]
        /// Requests that were sent again.
        package var retries: [String: Int] = [:]
        /// Answers that asked for fewer requests.
        package var throttles: [String: Int] = [:]

        /// What came since an earlier snapshot; operations without any are left out.
        package func since(_ earlier: Snapshot) -> Snapshot {
            Snapshot(
                requests: Self.difference(requests, earlier.requests),
                retries: Self.difference(retries, earlier.retries),
                throttles: Self.difference(throttles, earlier.throttles))
        }

        private static func difference(_ now: [String: Int], _ earlier: [String: Int]) -> [String: Int] {
            now.reduce(into: [:]) { result, entry in
                let count = entry.value - (earlier[entry.key] ?? 0)
                if count != 0 { result[entry.key] = count }
            }
        }
    }

    private let counts = Mutex(Snapshot())

    /// Makes counters that show nothing.
    package init() {}

    /// The counts now.
    package var snapshot: Snapshot { counts.withLock { $0 } }

    func countRequest(_ meter: String, isRetry: Bool) {
        counts.withLock { counts in
            counts.requests[meter, default: 0] += 1
            if isRetry { counts.retries[meter, default: 0] += 1 }
        }
    }

    func countThrottle(_ meter: String) {
        counts.withLock { $0.throttles[meter, default: 0] += 1 }
    }
}
