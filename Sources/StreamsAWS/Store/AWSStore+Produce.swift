package import StreamsCore
package import StreamsModel

extension AWSStore {
    /// One strong `GetItem`.
    package func produceRecord(
        of key: IdempotencyKey, in topic: TopicName
    ) async throws(StoreError) -> ProduceRecord? {
        let partition = ProduceItem.partition(key, in: topic)
        let found = try await calling { () async throws(AWSError) in
            try await items.getItem([Attribute.topic: partition], isConsistent: true, deadline: Deadline.current)
        }
        return try found.map { (item) throws(StoreError) in try ProduceItem.record(item, topic: topic) }
    }

    /// One `PutItem`, on condition that what was seen still stands.
    package func setProduceRecord(
        _ record: ProduceRecord, of key: IdempotencyKey, in topic: TopicName, replacing seen: ProduceRecord?
    ) async throws(StoreError) -> ProduceRecord? {
        var item = ProduceItem.attributes(of: record)
        item[Attribute.topic] = ProduceItem.partition(key, in: topic)
        var condition: DynamoDBCondition? = DynamoDBCondition(
            "attribute_not_exists(#topic)", names: ["#topic": Attribute.topic])
        if let seen {
            condition = DynamoDBCondition(
                "#append = :seen", names: ["#append": ProduceItem.Attribute.appendID],
                values: [":seen": .string(seen.appendID.hexadecimal)])
            if Mutant.moveRecordUnconditionally.isActive { condition = nil }
        }
        let (final, held) = (item, condition)
        let outcome = try await calling { () async throws(AWSError) in
            try await items.putItem(final, condition: held, deadline: Deadline.current)
        }
        switch outcome {
        case .done: return record
        // Perhaps that of an earlier try of this very call.
        case .conditionFailed(let standing):
            return try standing.map { (item) throws(StoreError) in try ProduceItem.record(item, topic: topic) }
        }
    }

    /// The table's time to live does it.
    package func deleteProduceRecords(expiredAt now: Timestamp, limit: Int) async throws(StoreError) -> Bool { false }

    /// A strong `GetItem`, and an `UpdateItem` on condition that the token was not set since.
    package func setFencingToken(
        _ token: FencingToken?, of topic: TopicName, if condition: FenceCondition
    ) async throws(StoreError) -> FenceOutcome {
        while true {
            guard let item = try await item(of: topic) else { return .noSuchTopic }
            guard item.hasKind else {
                try await adopt(topic, item)
                continue
            }
            if item.deletedAt != nil { return .noSuchTopic }
            if case .token(let current) = condition, current != item.fencingToken { return .fenced }
            let update = fenceUpdate(token, of: topic, after: item)
            let outcome = try await calling { () async throws(AWSError) in
                try await items.updateItem(update, deadline: Deadline.current)
            }
            switch outcome {
            case .done(let attributes):
                return .set(try head(attributes, of: topic))
            case .conditionFailed(item: nil):
                return .noSuchTopic
            case .conditionFailed(item: let attributes?):
                let current = try TopicItem(attributes, topic: topic)
                // An earlier try got through, or somebody set the same.
                if current.fenceCount == item.fenceCount + 1, current.fencingToken == token {
                    return .set(try head(attributes, of: topic))
                }
            }
        }
    }

    private func head(_ attributes: DynamoDBItem, of topic: TopicName) throws(StoreError) -> TopicHead {
        do throws(StoreError) {
            return try TopicItem(attributes, topic: topic).head(retained: periods.retained(at: time.now()))
        } catch {
            // The token is set all the same.
            throw StoreError(error.code, effect: .unknown, error.message)
        }
    }

    private func fenceUpdate(_ token: FencingToken?, of topic: TopicName, after item: TopicItem) -> DynamoDBUpdate {
        var update = DynamoDBUpdate(
            key: key(topic),
            update: token == nil ? "SET #fence = :next REMOVE #token" : "SET #fence = :next, #token = :token",
            // Of the topic that was seen, and not of its next life.
            condition: "attribute_exists(#kind) AND attribute_not_exists(#deleted) AND "
                + (item.createdAt == nil ? "attribute_not_exists(#created)" : "#created = :created") + " AND "
                + (item.fenceCount == 0 ? "attribute_not_exists(#fence)" : "#fence = :seen"),
            names: [
                "#fence": Attribute.fenceCount, "#token": Attribute.fencingToken, "#kind": Attribute.kind,
                "#deleted": Attribute.deletedAt, "#created": Attribute.createdAt,
            ],
            values: [":next": .integer(item.fenceCount + 1)], returnValues: .allNew)
        update.values[":created"] = item.createdAt.map { .integer($0.milliseconds) }
        update.values[":token"] = token.map { .string($0.rawValue) }
        if item.fenceCount > 0 { update.values[":seen"] = .integer(item.fenceCount) }
        if Mutant.fenceUnconditionally.isActive {
            update.condition = "attribute_exists(#kind) OR #deleted = #created"
            update.values[":seen"] = nil
            update.values[":created"] = nil
        }
        return update
    }
}
