import NIOCore
import NIOHTTP1
import StreamsAWS
import Synchronization

/// One table of DynamoDB with its index, as far as the log relies on it: strong reads, conditional writes.
///
/// Amazon DynamoDB API Reference, "GetItem", "PutItem", "UpdateItem", "Query".
final class SimulatedDynamoDB: Sendable {
    private static let partitionKey = "pk"

    private let items = Mutex<[String: DynamoDBItem]>([:])
    /// What was last answered to those who asked for an item that has not changed since: most requests are such.
    private let replies = Mutex<[String: AWSTransportAnswer]>([:])

    /// Makes an empty table.
    init() {}

    /// The item of a key as it is.
    func item(_ key: String) -> DynamoDBItem? { items.withLock { $0[key] } }

    private func reply(_ key: String) -> AWSTransportAnswer {
        if let reply = replies.withLock({ $0[key] }) { return reply }
        let reply = AWSTransportAnswer.dynamoDB(DynamoDBReply(item: item(key)))
        replies.withLock { $0[key] = reply }
        return reply
    }

    /// Puts an item in the place of the one that is there, or removes it: what a restored backup does.
    func set(_ key: String, to item: DynamoDBItem?) {
        items.withLock { $0[key] = item }
        replies.withLock { $0[key] = nil }
    }

    /// Performs a request, all at once.
    func answer(_ request: DynamoDBRequest) -> AWSTransportAnswer {
        do {
            switch request.operation {
            case "GetItem": return reply(try request.partition())
            case "UpdateItem":
                return try write(request, try request.partition()) { item in
                    let update = try ItemExpressionCache.shared.update(request.body.updateExpression ?? "")
                    return try request.evaluator.apply(update, to: item ?? request.body.key ?? [:])
                }
            case "PutItem": return try write(request, try request.partition()) { _ in request.body.item ?? [:] }
            case "Query": return try query(request)
            default: throw ItemExpression.Unknown(text: request.operation)
            }
        } catch {
            return .dynamoDBRefusal(400, "ValidationException", message: "\(error)")
        }
    }

    private func write(
        _ request: DynamoDBRequest, _ key: String, _ change: (DynamoDBItem?) throws -> DynamoDBItem
    ) throws -> AWSTransportAnswer {
        try items.withLock { items in
            let old = items[key]
            if let text = request.body.conditionExpression {
                let condition = try ItemExpressionCache.shared.condition(text)
                guard try request.evaluator.holds(condition, on: old ?? [:]) else {
                    let wantsItem = request.body.returnValuesOnConditionCheckFailure == "ALL_OLD"
                    return .dynamoDBRefusal(400, "ConditionalCheckFailedException", item: wantsItem ? old : nil)
                }
            }
            let new = try change(old)
            items[key] = new
            replies.withLock { $0[key] = nil }
            let attributes: [String: DynamoDBItem?] = ["ALL_OLD": old, "ALL_NEW": new]
            return .dynamoDB(DynamoDBReply(attributes: attributes[request.body.returnValues ?? "NONE"] ?? nil))
        }
    }

    /// Topics and groups by name: the log asks for nothing else.
    private func query(_ request: DynamoDBRequest) throws -> AWSTransportAnswer {
        let condition = try ItemExpressionCache.shared.condition(request.body.keyConditionExpression ?? "")
        let found = try items.withLock { items in
            try items.sorted { $0.key < $1.key }.filter { try request.evaluator.holds(condition, on: $0.value) }
        }
        let page = found.prefix(request.body.limit ?? 1000).map { [Self.partitionKey: AttributeValue.string($0.key)] }
        return .dynamoDB(DynamoDBReply(items: page))
    }
}

/// Each expression is read once, in however many worlds it is met.
private final class ItemExpressionCache: Sendable {
    static let shared = ItemExpressionCache()

    private let conditions = Mutex<[String: ItemExpression.Condition]>([:])
    private let updates = Mutex<[String: ItemExpression.Update]>([:])

    func condition(_ text: String) throws -> ItemExpression.Condition {
        if let known = conditions.withLock({ $0[text] }) { return known }
        let condition = try ItemExpressionParser.condition(text)
        conditions.withLock { $0[text] = condition }
        return condition
    }

    func update(_ text: String) throws -> ItemExpression.Update {
        if let known = updates.withLock({ $0[text] }) { return known }
        let update = try ItemExpressionParser.update(text)
        updates.withLock { $0[text] = update }
        return update
    }
}

/// A request to DynamoDB, read from what the client sends.
struct DynamoDBRequest: Sendable {
    struct Body: Sendable {
        var key: DynamoDBItem?
        var item: DynamoDBItem?
        var updateExpression: String?
        var conditionExpression: String?
        var keyConditionExpression: String?
        var names: [String: String]?
        var values: DynamoDBItem?
        var returnValues: String?
        var returnValuesOnConditionCheckFailure: String?
        var limit: Int?
    }

    /// DynamoDB's name of the operation.
    let operation: String
    let body: Body

    /// Reads a request; `nil` for what is none.
    init?(_ request: AWSTransportRequest) {
        guard let target = request.header("x-amz-target"), let bytes = request.body else { return nil }
        operation = String(target.drop { $0 != "." }.dropFirst())
        let read = operation == "GetItem" ? Lookups.shared.body(of: bytes) : Body(bytes)
        guard let read else { return nil }
        body = read
    }

    var evaluator: ItemExpressionEvaluator {
        ItemExpressionEvaluator(names: body.names ?? [:], values: body.values ?? [:])
    }

    func partition() throws -> String {
        guard let key = (body.key ?? body.item)?["pk"]?.string else { throw ItemExpression.Unknown(text: "no key") }
        return key
    }
}

extension DynamoDBRequest.Body {
    fileprivate init?(_ bytes: ByteBuffer) {
        var body = Self()
        var reader = DynamoDBReader(Array(bytes.readableBytesView))
        do throws(DynamoDBReader.Failure) {
            try reader.object { (name, reader) throws(DynamoDBReader.Failure) in try body.read(name, &reader) }
            try reader.finish()
        } catch {
            return nil
        }
        self = body
    }

    private mutating func read(_ name: String, _ reader: inout DynamoDBReader) throws(DynamoDBReader.Failure) {
        switch name {
        case "Key": key = try reader.item()
        case "Item": item = try reader.item()
        case "UpdateExpression": updateExpression = try reader.text()
        case "ConditionExpression": conditionExpression = try reader.text()
        case "KeyConditionExpression": keyConditionExpression = try reader.text()
        case "ExpressionAttributeNames": names = try reader.texts()
        case "ExpressionAttributeValues": values = try reader.item()
        case "ReturnValues": returnValues = try reader.text()
        case "ReturnValuesOnConditionCheckFailure": returnValuesOnConditionCheckFailure = try reader.text()
        case "Limit": limit = try reader.integer()
        default: try reader.pass()
        }
    }
}

/// Requests for items, each read once: they are the same again and again, in whatever world.
private final class Lookups: Sendable {
    static let shared = Lookups()
    private static let countMaximum = 1000

    private let bodies = Mutex<[ByteBuffer: DynamoDBRequest.Body]>([:])

    func body(of bytes: ByteBuffer) -> DynamoDBRequest.Body? {
        if let known = bodies.withLock({ $0[bytes] }) { return known }
        guard let body = DynamoDBRequest.Body(bytes) else { return nil }
        bodies.withLock { bodies in
            if bodies.count >= Self.countMaximum { bodies.removeAll() }
            bodies[bytes] = body
        }
        return body
    }
}

private struct DynamoDBReply {
    var type: String?
    var message: String?
    var item: DynamoDBItem?
    var attributes: DynamoDBItem?
    var items: [DynamoDBItem]?

    var json: [UInt8] {
        var writer = DynamoDBWriter()
        writer.member("__type", type)
        writer.member("message", message)
        writer.member("Item", item)
        writer.member("Attributes", attributes)
        writer.member("Items", items)
        return writer.finish()
    }
}

extension AWSTransportAnswer {
    private static let dynamoDBHeaders: HTTPHeaders = ["content-type": "application/x-amz-json-1.0"]

    fileprivate static func dynamoDB(_ reply: DynamoDBReply, status: Int = 200) -> AWSTransportAnswer {
        AWSTransportAnswer(status: status, headers: dynamoDBHeaders, body: reply.json)
    }

    /// A refusal as DynamoDB writes it.
    static func dynamoDBRefusal(
        _ status: Int, _ code: String, message: String = "Simulated.", item: DynamoDBItem? = nil
    ) -> AWSTransportAnswer {
        dynamoDB(
            DynamoDBReply(type: "com.amazonaws.dynamodb.v20120810#\(code)", message: message, item: item),
            status: status)
    }
}
