/// List prices of single requests, for what maintenance says of cost and gain.
///
/// Dollars in us-east-1 at the end of 2025, from "Amazon S3 pricing" (requests, S3 Standard) and "Amazon DynamoDB pricing"
/// (on-demand); `infra/streams_infra/prices.py` has the same. A read or write of an item of up to 1 KB is one unit.
package enum AWSPrices {
    private static let million = 1_000_000.0

    /// What a counted request costs, by the name of its count.
    package static let requests: [String: Double] = [
        "dynamodb.GetItem": 0.125 / million,
        "dynamodb.PutItem": 0.625 / million,
        "dynamodb.UpdateItem": 0.625 / million,
        "dynamodb.Query": 0.0625 / million,
        "s3.GetObject": 0.40 / million,
        "s3.PutObject": 5.00 / million,
        "s3.ListObjectsV2": 5.00 / million,
        // Free of charge.
        "s3.DeleteObject": 0,
        "s3.DeleteObjects": 0,
    ]

    /// What counted requests cost; those that are not known cost nothing here.
    package static func dollars(for counts: [String: Int]) -> Double {
        counts.reduce(0) { $0 + Double($1.value) * (requests[$1.key] ?? 0) }
    }
}
