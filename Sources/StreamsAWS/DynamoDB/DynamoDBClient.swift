import AWSSigning
import NIOCore
import NIOHTTP1
import StreamsCore
package import StreamsModel

/// The calls to one table of DynamoDB.
///
/// Each call is bounded by `deadline`, a time of the connection's uptime (without one, by the policy's time of a call),
/// and is tried again within it as `AWSConnection` does. A write may thus be sent more than once: it must be one that
/// does no harm then, by its condition or by what it sets.
package struct DynamoDBClient: Sendable {
    /// What all clients share.
    package let connection: AWSConnection
    /// The table's name.
    package let table: String

    /// Makes a client; sends nothing.
    package init(_ connection: AWSConnection, table: String) {
        self.connection = connection
        self.table = table
    }

    /// The item of a key, or `nil` where there is none.
    package func getItem(
        _ key: DynamoDBItem, isConsistent: Bool = true, deadline: Duration? = nil
    ) async throws(AWSError) -> DynamoDBItem? {
        var body = DynamoDBBody(table: table)
        body.key = key
        body.isConsistent = isConsistent
        return try await answer("GetItem", body, isWrite: false, deadline: deadline).answer.item
    }

    /// Changes an item, creating it where there is none and no condition forbids it.
    ///
    /// `conditionFailed` may be the work of an earlier try whose answer was lost: look at the item. With `signedAt`
    /// every try carries that time.
    ///
    /// - Throws: `signedTooLongAgo` when DynamoDB refuses the given time.
    package func updateItem(
        _ update: DynamoDBUpdate, signedAt: Timestamp? = nil, deadline: Duration? = nil
    ) async throws(AWSError) -> DynamoDBWriteOutcome {
        var body = DynamoDBBody(table: table)
        body.key = update.key
        body.update = update.update
        body.set(condition: update.condition)
        body.set(names: update.names, values: update.values)
        body.returnValues = update.returnValues
        return try await write("UpdateItem", body, signedAt: signedAt, deadline: deadline)
    }

    /// Puts an item in the place of the one that may be there; with `signedAt` as ``updateItem(_:signedAt:deadline:)``.
    package func putItem(
        _ item: DynamoDBItem, condition: DynamoDBCondition? = nil, returnsOld: Bool = false,
        signedAt: Timestamp? = nil, deadline: Duration? = nil
    ) async throws(AWSError) -> DynamoDBWriteOutcome {
        var body = DynamoDBBody(table: table)
        body.item = item
        return try await write(
            "PutItem", body, condition, returnsOld: returnsOld, signedAt: signedAt, deadline: deadline)
    }

    /// Deletes an item, if there is one.
    package func deleteItem(
        _ key: DynamoDBItem, condition: DynamoDBCondition? = nil, returnsOld: Bool = false, deadline: Duration? = nil
    ) async throws(AWSError) -> DynamoDBWriteOutcome {
        var body = DynamoDBBody(table: table)
        body.key = key
        return try await write("DeleteItem", body, condition, returnsOld: returnsOld, deadline: deadline)
    }

    /// A page of the items of one partition.
    ///
    /// Not a strong read: what was written a moment ago may be missing.
    package func query(_ query: DynamoDBQuery, deadline: Duration? = nil) async throws(AWSError) -> DynamoDBPage {
        var body = DynamoDBBody(table: table)
        body.index = query.index
        body.keyCondition = query.keyCondition
        body.set(names: query.names, values: query.values)
        body.limit = query.limit
        body.exclusiveStartKey = query.exclusiveStartKey
        body.isForward = query.isForward
        let answer = try await answer("Query", body, isWrite: false, deadline: deadline).answer
        return DynamoDBPage(items: answer.items ?? [], lastEvaluatedKey: answer.lastEvaluatedKey)
    }
}

extension DynamoDBClient {
    private static let conditionFailed = "ConditionalCheckFailedException"

    private func write(
        _ operation: String, _ body: DynamoDBBody, _ condition: DynamoDBCondition?, returnsOld: Bool,
        signedAt: Timestamp? = nil, deadline: Duration?
    ) async throws(AWSError) -> DynamoDBWriteOutcome {
        var body = body
        body.set(condition: condition?.expression)
        body.set(names: condition?.names ?? [:], values: condition?.values ?? [:])
        body.returnValues = returnsOld ? .allOld : DynamoDBReturnValues.none
        return try await write(operation, body, signedAt: signedAt, deadline: deadline)
    }

    private func write(
        _ operation: String, _ body: DynamoDBBody, signedAt: Timestamp? = nil, deadline: Duration?
    ) async throws(AWSError) -> DynamoDBWriteOutcome {
        let (isRefused, answer) = try await answer(
            operation, body, isWrite: true, signedAt: signedAt, deadline: deadline)
        return isRefused ? .conditionFailed(item: answer.item) : .done(attributes: answer.attributes ?? [:])
    }

    private func answer(
        _ operation: String, _ body: DynamoDBBody, isWrite: Bool, signedAt: Timestamp? = nil, deadline: Duration?
    ) async throws(AWSError) -> (isRefused: Bool, answer: DynamoDBAnswer) {
        var call = AWSCall(.dynamoDB, operation, on: .table(table), isWrite: isWrite)
        let bytes = body.json
        call.headers = [
            ("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810." + operation),
        ]
        call.signedAt = signedAt
        call.body = ByteBuffer(bytes: bytes)
        call.payload = PayloadDigest(of: bytes)
        if isWrite { call.expectedCodes = [Self.conditionFailed] }
        let answer = try await connection.perform(call, deadline: deadline)
        do {
            // Any object decodes: what tells a success of DynamoDB from another server's is its own media type.
            let type = answer.answer.headers.first(name: "content-type")?.lowercased() ?? ""
            guard answer.refusal != nil || type.hasPrefix("application/x-amz-json") else { throw OtherMediaType() }
            return (answer.refusal != nil, try DynamoDBAnswer(answer.answer.body))
        } catch {
            throw AWSError(
                .unexpectedAnswer, effect: isWrite ? .unknown : .none,
                "DynamoDB answered \(operation) on the table '\(table)' with something other than its documented JSON. "
                    + "Something else may have answered, such as a proxy: check AWS_ENDPOINT_URL and what stands in "
                    + "between.")
        }
    }
}

private struct OtherMediaType: Error {}
