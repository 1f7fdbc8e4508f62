/// The JSON of a request; members that are `nil` are left out.
///
/// Amazon DynamoDB API Reference, "Actions".
struct DynamoDBBody {
    var table: String
    var key: DynamoDBItem?
    var item: DynamoDBItem?
    var isConsistent: Bool?
    var update: String?
    var condition: String?
    var names: [String: String]?
    var values: DynamoDBItem?
    var returnValues: DynamoDBReturnValues?
    var returnValuesOnFailure: String?
    var index: String?
    var keyCondition: String?
    var limit: Int?
    var exclusiveStartKey: DynamoDBItem?
    var isForward: Bool?

    init(table: String) {
        self.table = table
    }

    /// The JSON.
    var json: [UInt8] {
        var writer = DynamoDBWriter()
        writer.member("TableName", table)
        writer.member("Key", key)
        writer.member("Item", item)
        writer.member("ConsistentRead", isConsistent)
        writer.member("UpdateExpression", update)
        writer.member("ConditionExpression", condition)
        writer.member("ExpressionAttributeNames", names)
        writer.member("ExpressionAttributeValues", values)
        writer.member("ReturnValues", returnValues?.rawValue)
        writer.member("ReturnValuesOnConditionCheckFailure", returnValuesOnFailure)
        writer.member("IndexName", index)
        writer.member("KeyConditionExpression", keyCondition)
        writer.member("Limit", limit)
        writer.member("ExclusiveStartKey", exclusiveStartKey)
        writer.member("ScanIndexForward", isForward)
        return writer.finish()
    }

    /// Takes over names and values; DynamoDB refuses empty ones.
    mutating func set(names: [String: String], values: DynamoDBItem) {
        self.names = names.isEmpty ? nil : names
        self.values = values.isEmpty ? nil : values
    }

    /// Sets a condition, and asks for the item when it does not hold.
    mutating func set(condition: String?) {
        self.condition = condition
        returnValuesOnFailure = condition == nil ? nil : "ALL_OLD"
    }
}

/// The JSON of an answer, whichever members it has.
struct DynamoDBAnswer {
    var item: DynamoDBItem?
    var attributes: DynamoDBItem?
    var items: [DynamoDBItem]?
    var lastEvaluatedKey: DynamoDBItem?

    /// Reads an answer.
    ///
    /// - Throws: where it is not JSON, or a member is not what DynamoDB documents.
    init(_ bytes: [UInt8]) throws(DynamoDBReader.Failure) {
        var reader = DynamoDBReader(bytes)
        try reader.object { (name, reader) throws(DynamoDBReader.Failure) in
            // What is none is left out by DynamoDB, and `null` with some that stand in for it.
            if try reader.passNull() { return }
            switch name {
            case "Item": item = try reader.item()
            case "Attributes": attributes = try reader.item()
            case "Items": items = try reader.items()
            case "LastEvaluatedKey": lastEvaluatedKey = try reader.item()
            default: try reader.pass()
            }
        }
        try reader.finish()
    }
}
