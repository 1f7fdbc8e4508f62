/// The JSON of a request; members that are `nil` are left out.
///
/// Amazon DynamoDB API Reference, "Actions".
struct DynamoDBBody: Encodable {
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

    private enum CodingKeys: String, CodingKey {
        case table = "TableName"
        case key = "Key"
        case item = "Item"
        case isConsistent = "ConsistentRead"
        case update = "UpdateExpression"
        case condition = "ConditionExpression"
        case names = "ExpressionAttributeNames"
        case values = "ExpressionAttributeValues"
        case returnValues = "ReturnValues"
        case returnValuesOnFailure = "ReturnValuesOnConditionCheckFailure"
        case index = "IndexName"
        case keyCondition = "KeyConditionExpression"
        case limit = "Limit"
        case exclusiveStartKey = "ExclusiveStartKey"
        case isForward = "ScanIndexForward"
    }

    init(table: String) {
        self.table = table
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
struct DynamoDBAnswer: Decodable {
    var item: DynamoDBItem?
    var attributes: DynamoDBItem?
    var items: [DynamoDBItem]?
    var lastEvaluatedKey: DynamoDBItem?

    private enum CodingKeys: String, CodingKey {
        case item = "Item"
        case attributes = "Attributes"
        case items = "Items"
        case lastEvaluatedKey = "LastEvaluatedKey"
    }
}
