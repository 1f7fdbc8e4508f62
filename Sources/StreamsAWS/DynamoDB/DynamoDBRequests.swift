/// Which attributes a write answers with.
package enum DynamoDBReturnValues: String, Sendable {
    /// None.
    case none = "NONE"
    /// All of the item as it was before.
    case allOld = "ALL_OLD"
    /// Those that the update changed, as they were before.
    case updatedOld = "UPDATED_OLD"
    /// All of the item as it is now.
    case allNew = "ALL_NEW"
    /// Those that the update changed, as they are now.
    case updatedNew = "UPDATED_NEW"
}

/// A condition of a write, in DynamoDB's expression language.
package struct DynamoDBCondition: Sendable {
    /// The expression.
    package var expression: String
    /// What `#names` in it stand for.
    package var names: [String: String]
    /// What `:values` in it stand for.
    package var values: DynamoDBItem

    /// Makes a condition.
    package init(_ expression: String, names: [String: String] = [:], values: DynamoDBItem = [:]) {
        self.expression = expression
        self.names = names
        self.values = values
    }
}

/// A change of one item.
package struct DynamoDBUpdate: Sendable {
    /// The item's key.
    package var key: DynamoDBItem
    /// The update expression.
    package var update: String
    /// The condition expression, which shares names and values with the update.
    package var condition: String?
    /// What `#names` stand for.
    package var names: [String: String]
    /// What `:values` stand for.
    package var values: DynamoDBItem
    /// Which attributes to answer with.
    package var returnValues: DynamoDBReturnValues

    /// Makes an update.
    package init(
        key: DynamoDBItem, update: String, condition: String? = nil, names: [String: String] = [:],
        values: DynamoDBItem = [:], returnValues: DynamoDBReturnValues = .none
    ) {
        self.key = key
        self.update = update
        self.condition = condition
        self.names = names
        self.values = values
        self.returnValues = returnValues
    }
}

/// How a write went.
package enum DynamoDBWriteOutcome: Sendable, Equatable {
    /// It happened; the attributes that were asked for, empty where there are none.
    case done(attributes: DynamoDBItem)
    /// The condition does not hold, perhaps because of an earlier try of this very write; the item as it is, `nil`
    /// where there is none.
    case conditionFailed(item: DynamoDBItem?)
}

/// A question for the items of one partition, of the table or of an index.
package struct DynamoDBQuery: Sendable {
    /// The index; `nil` for the table itself.
    package var index: String?
    /// The key condition expression.
    package var keyCondition: String
    /// What `#names` stand for.
    package var names: [String: String]
    /// What `:values` stand for.
    package var values: DynamoDBItem
    /// The most items to look at.
    package var limit: Int?
    /// Where the page before ended.
    package var exclusiveStartKey: DynamoDBItem?
    /// Whether the items come in ascending order of the sort key.
    package var isForward: Bool

    /// Makes a query.
    package init(
        index: String? = nil, keyCondition: String, names: [String: String] = [:], values: DynamoDBItem = [:],
        limit: Int? = nil, exclusiveStartKey: DynamoDBItem? = nil, isForward: Bool = true
    ) {
        self.index = index
        self.keyCondition = keyCondition
        self.names = names
        self.values = values
        self.limit = limit
        self.exclusiveStartKey = exclusiveStartKey
        self.isForward = isForward
    }
}

/// A page of items.
package struct DynamoDBPage: Sendable, Equatable {
    /// The items.
    package var items: [DynamoDBItem]
    /// What to ask for the next page with; `nil` on the last one.
    package var lastEvaluatedKey: DynamoDBItem?

    /// Makes a page.
    package init(items: [DynamoDBItem], lastEvaluatedKey: DynamoDBItem?) {
        self.items = items
        self.lastEvaluatedKey = lastEvaluatedKey
    }
}
