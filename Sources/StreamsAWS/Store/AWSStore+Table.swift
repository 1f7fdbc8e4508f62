import Logging
package import StreamsCore
package import StreamsModel

extension AWSStore: Table {
    typealias Attribute = TopicItem.Attribute

    /// Counter and segments live in different services, with different backups.
    package var mayGoBack: Bool { true }

    // MARK: Read

    /// One strong `GetItem`.
    package func head(of topic: TopicName) async throws(StoreError) -> TopicHead? {
        while true {
            guard let item = try await item(of: topic) else { return nil }
            if item.hasKind { return item.head(retained: periods.retained(at: time.now())) }
            try await adopt(topic, item)
        }
    }

    func item(of topic: TopicName) async throws(StoreError) -> TopicItem? {
        let found = try await calling { () async throws(AWSError) in
            try await items.getItem(key(topic), isConsistent: true, deadline: Deadline.current)
        }
        return try found.map { (item) throws(StoreError) in try TopicItem(item, topic: topic) }
    }

    /// `Query`s of the index, whose sort key is the name.
    package func topics(prefix: String, after: String, limit: Int) async throws(StoreError) -> [TopicName] {
        // Names are made of characters between these two.
        let low = max(prefix, after.isEmpty ? "" : after + "!")
        var query = DynamoDBQuery(
            index: TopicItem.kindIndex, keyCondition: "#kind = :kind AND #topic BETWEEN :low AND :high",
            names: ["#kind": Attribute.kind, "#topic": Attribute.topic],
            values: [
                ":kind": .string(TopicItem.kind), ":low": .string(low.isEmpty ? "!" : low),
                ":high": .string(prefix + "~"),
            ], limit: limit)
        // An empty range is an error to DynamoDB.
        guard low <= prefix + "~" else { return [] }
        var names: [TopicName] = []
        repeat {
            query.limit = limit - names.count
            let page = try await calling { () async throws(AWSError) in
                try await items.query(query, deadline: Deadline.current)
            }
            names += page.items.compactMap { $0[Attribute.topic]?.string }.compactMap { try? TopicName($0) }
            query.exclusiveStartKey = page.lastEvaluatedKey
        } while names.count < limit && query.exclusiveStartKey != nil
        return names
    }

    // MARK: Create, adopt

    /// One `PutItem` on condition that there is none.
    package func create(_ topic: TopicName, at now: Timestamp) async throws(StoreError) -> Bool {
        var item = key(topic)
        item[Attribute.currentOffset] = .integer(0)
        item[Attribute.createdAt] = .integer(now.milliseconds)
        // The log has seen that nothing is stored: the first claim may trust the item.
        item[Attribute.claimedAt] = .integer(now.milliseconds)
        item[Attribute.kind] = .string(TopicItem.kind)
        let outcome = try await calling { () async throws(AWSError) in
            try await items.putItem(
                item, condition: DynamoDBCondition("attribute_not_exists(#topic)", names: ["#topic": Attribute.topic]),
                deadline: Deadline.current)
        }
        switch outcome {
        case .done: return true
        case .conditionFailed(item: let item?):
            let item = try TopicItem(item, topic: topic)
            guard let deletedAt = item.deletedAt, item.closedUntil == nil else { return false }
            return try await revive(topic, item, deletedAt, at: now)
        case .conditionFailed: return false
        }
    }

    /// Makes an item of the prototype one of ours: it gets a kind, so that lists show it, and a low mark.
    ///
    /// What its bucket holds may have begun to expire, and nothing in the item tells up to where. Here the first object
    /// may be asked, since the prototype's writers are gone: nothing below the counter is still on its way.
    func adopt(_ topic: TopicName, _ item: TopicItem) async throws(StoreError) {
        var low = item.end
        if let key = try await list(topic, from: .first, limit: 1).first?.key {
            low = min(try await get([key])[0]?.range.lowerBound ?? key.last, item.end)
        }
        let now = time.now()
        let update = DynamoDBUpdate(
            key: key(topic),
            update: """
                SET #kind = :kind, #created = if_not_exists(#created, :now), #trimmed = if_not_exists(#trimmed, :low), \
                #mark = if_not_exists(#mark, :mark), #settled = :end
                """,
            condition: "attribute_exists(#topic) AND attribute_not_exists(#kind)",
            names: [
                "#kind": Attribute.kind, "#created": Attribute.createdAt, "#trimmed": Attribute.trimmedBefore,
                "#mark": Attribute.mark(periods.day(ofClaimAt: now)), "#settled": Attribute.settledBelow,
                "#topic": Attribute.topic,
            ],
            values: [
                ":kind": .string(TopicItem.kind), ":now": .integer(now.milliseconds), ":low": .integer(low.rawValue),
                ":mark": .integer(low.rawValue - 1), ":end": .integer(item.end.rawValue),
            ])
        // Whoever came first did the same.
        _ = try await calling { () async throws(AWSError) in
            try await items.updateItem(update, deadline: Deadline.current)
        }
        logger.notice("took over a topic of the prototype", metadata: ["topic": "\(topic)", "earliest": "\(low)"])
    }

    func key(_ topic: TopicName) -> DynamoDBItem { [Attribute.topic: .string(topic.rawValue)] }
}
