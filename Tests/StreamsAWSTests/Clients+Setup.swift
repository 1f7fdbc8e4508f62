import AWSSigning
import NIOCore
import NIOHTTP1

@testable import StreamsAWS

extension S3Client {
    /// Makes the bucket.
    func makeBucket() async throws {
        _ = try await connection.perform(call("CreateBucket", .PUT, key: nil, isWrite: true), deadline: nil)
    }
}

extension DynamoDBClient {
    /// Makes the table, with the index of topics.
    func makeTable() async throws {
        var call = AWSCall(.dynamoDB, "CreateTable", on: .table(table), isWrite: true)
        let body = """
            {"TableName": "\(table)", "BillingMode": "PAY_PER_REQUEST",
             "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
             "AttributeDefinitions": [
               {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "kind", "AttributeType": "S"}],
             "GlobalSecondaryIndexes": [
               {"IndexName": "kind-index", "Projection": {"ProjectionType": "KEYS_ONLY"},
                "KeySchema": [
                  {"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}]}]}
            """
        call.headers = [
            ("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.CreateTable"),
        ]
        call.body = ByteBuffer(string: body)
        call.payload = PayloadDigest(of: Array(body.utf8))
        _ = try await connection.perform(call, deadline: nil)
    }
}
