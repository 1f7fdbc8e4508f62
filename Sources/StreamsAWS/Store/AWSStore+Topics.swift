package import StreamsCore
package import StreamsModel

/// What users change of a topic: one conditional `UpdateItem` or `PutItem` each.
///
/// A request may arrive up to 15 minutes after it was sent, and twice: the time of creation in each condition keeps it
/// from a topic that was made meanwhile.
extension AWSStore {
    /// The condition that a topic is the one that was seen.
    private static let stands = "#created = :created AND attribute_not_exists(#deleted)"

    /// Sets `trimmed_before`, never back; the objects below stay for now.
    package func trim(
        _ topic: TopicName, createdAt: Timestamp, before offset: Offset, at now: Timestamp
    ) async throws(StoreError) -> TopicHead? {
        var condition = Self.stands + " AND #current >= :last"
        if !Mutant.trimBackwards.isActive { condition += " AND (attribute_not_exists(#trimmed) OR #trimmed < :offset)" }
        let outcome = try await change(
            topic, createdAt, "SET #trimmed = :offset, #trimmedAt = :now", condition,
            names: [
                "#trimmed": Attribute.trimmedBefore, "#trimmedAt": Attribute.trimmedAt,
                "#current": Attribute.currentOffset,
            ],
            values: [
                ":offset": .integer(offset.rawValue), ":last": .integer(offset.rawValue - 1),
                ":now": .integer(now.milliseconds),
            ])
        let item: TopicItem
        switch outcome {
        case .done(attributes: let attributes): item = try TopicItem(attributes, topic: topic)
        case .conditionFailed(item: let standing):
            guard let standing else { return nil }
            item = try TopicItem(standing, topic: topic)
            guard item.createdAt == createdAt, item.deletedAt == nil, item.trimmedBefore ?? .first >= offset else {
                return nil
            }
        }
        return item.head(retained: periods.retained(at: now))
    }

    /// Marks the item: the low mark is the end at the very moment, and only the counter stays.
    package func delete(_ topic: TopicName, createdAt: Timestamp, at now: Timestamp) async throws(StoreError) {
        var update = "SET #deleted = :now, #kind = :kind, #trimmed = #current + :one, #trimmedAt = :now"
        if Mutant.deleteKeepsLowMark.isActive { update = "SET #deleted = :now, #kind = :kind" }
        if Mutant.deleteResetsCounter.isActive {
            update = "SET #deleted = :now, #kind = :kind, #trimmed = :one, #current = :zero"
        }
        update += " REMOVE #retention, #bytes, #parent, #fork, #tail, #claim, #token"
        let isAny = Mutant.deleteWhateverStands.isActive
        _ = try await change(
            topic, createdAt, update, isAny ? "attribute_exists(#created) OR #created = :created" : Self.stands,
            names: [
                "#kind": Attribute.kind, "#trimmed": Attribute.trimmedBefore, "#trimmedAt": Attribute.trimmedAt,
                "#current": Attribute.currentOffset, "#retention": Attribute.retention,
                "#bytes": Attribute.retentionBytes, "#parent": Attribute.parent, "#fork": Attribute.fork,
                "#tail": Attribute.parentTail, "#claim": Attribute.parentClaim, "#token": Attribute.fencingToken,
            ],
            values: [":now": .integer(now.milliseconds), ":kind": .string(TopicItem.deletedKind), ":one": .integer(1)])
    }

    /// Puts the settings in the place of those of the version before.
    package func change(
        _ topic: TopicName, createdAt: Timestamp, to settings: TopicSettings
    ) async throws(StoreError) -> Bool {
        var sets = ["#version = :version"]
        var removes: [String] = []
        var values: DynamoDBItem = [":version": .integer(settings.version), ":before": .integer(settings.version - 1)]
        for (name, value, bound) in [
            ("#retention", ":retention", settings.retentionMilliseconds), ("#bytes", ":bytes", settings.retentionBytes),
        ] {
            guard let bound else {
                removes.append(name)
                continue
            }
            sets.append("\(name) = \(value)")
            values[value] = .integer(bound)
        }
        let update =
            "SET " + sets.joined(separator: ", ")
            + (removes.isEmpty ? "" : " REMOVE " + removes.joined(separator: ", "))
        // The first version has no number.
        let isFirst = settings.version == 1
        if isFirst { values[":before"] = nil }
        let outcome = try await change(
            topic, createdAt, update,
            Self.stands + (isFirst ? " AND attribute_not_exists(#version)" : " AND #version = :before"),
            names: [
                "#version": Attribute.settingsVersion, "#retention": Attribute.retention,
                "#bytes": Attribute.retentionBytes,
            ], values: values)
        guard case .conditionFailed(item: let standing) = outcome else { return true }
        // An earlier try of this very request may have done it.
        guard let item = try standing.map({ (item) throws(StoreError) in try TopicItem(item, topic: topic) }) else {
            return false
        }
        return item.createdAt == createdAt && item.deletedAt == nil && item.settings == settings
    }

    /// One `PutItem` on condition that there is none.
    package func createBranch(
        _ topic: TopicName, at point: BranchPoint, now: Timestamp
    ) async throws(StoreError) -> Bool {
        var item = key(topic)
        item[Attribute.currentOffset] = .integer(point.fork.rawValue - 1)
        item[Attribute.createdAt] = .integer(now.milliseconds)
        item[Attribute.claimedAt] = .integer(now.milliseconds)
        item[Attribute.kind] = .string(TopicItem.kind)
        item[Attribute.parent] = .string(point.parent.rawValue)
        item[Attribute.fork] = .integer(point.fork.rawValue)
        item[Attribute.parentTail] = .integer(point.parentEnd.rawValue - 1)
        item[Attribute.parentClaim] = point.parentClaimStart.map { .integer($0.rawValue) }
        let whole = item
        let outcome = try await calling { () async throws(AWSError) in
            try await items.putItem(
                whole, condition: DynamoDBCondition("attribute_not_exists(#topic)", names: ["#topic": Attribute.topic]),
                deadline: Deadline.current)
        }
        guard case .conditionFailed(item: let standing) = outcome else { return true }
        guard let found = try standing.map({ (item) throws(StoreError) in try TopicItem(item, topic: topic) }) else {
            return false
        }
        return found.createdAt == now && found.branch == point
    }

    /// Makes a deleted topic again, as it was seen; returns whether it did.
    func revive(
        _ topic: TopicName, _ item: TopicItem, _ deletedAt: Timestamp, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        let created = Int64(max(now.milliseconds, deletedAt.milliseconds + 1))
        let update = DynamoDBUpdate(
            key: key(topic), update: "SET #created = :created, #at = :created, #kind = :kind REMOVE #deleted",
            condition: "#deleted = :deleted AND #current = :current AND attribute_not_exists(#closed)",
            names: [
                "#created": Attribute.createdAt, "#at": Attribute.claimedAt, "#kind": Attribute.kind,
                "#deleted": Attribute.deletedAt, "#current": Attribute.currentOffset,
                "#closed": Attribute.closedUntil,
            ],
            values: [
                ":created": .integer(created), ":kind": .string(TopicItem.kind),
                ":deleted": .integer(deletedAt.milliseconds), ":current": .integer(item.currentOffset),
            ])
        let outcome = try await calling { () async throws(AWSError) in
            try await items.updateItem(update, deadline: Deadline.current)
        }
        guard case .done = outcome else { return false }
        return true
    }

    private func change(
        _ topic: TopicName, _ createdAt: Timestamp, _ update: String, _ condition: String, names: [String: String],
        values: DynamoDBItem
    ) async throws(StoreError) -> DynamoDBWriteOutcome {
        var update = DynamoDBUpdate(
            key: key(topic), update: update, condition: condition, names: names, values: values, returnValues: .allNew)
        update.names["#created"] = Attribute.createdAt
        update.names["#deleted"] = Attribute.deletedAt
        update.values[":created"] = .integer(createdAt.milliseconds)
        if update.update.contains(":zero") { update.values[":zero"] = .integer(0) }
        let final = update
        return try await calling { () async throws(AWSError) in
            try await items.updateItem(final, deadline: Deadline.current)
        }
    }
}
