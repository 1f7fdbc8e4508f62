package import StreamsCore
package import StreamsModel

/// What is done to an item that was lost or set back.
extension AWSStore {
    /// One `UpdateItem`, which makes the item where there is none.
    package func close(_ topic: TopicName, until: Timestamp) async throws(StoreError) {
        let update = DynamoDBUpdate(
            key: key(topic),
            update: """
                SET #closed = if_not_exists(#closed, :until), #current = if_not_exists(#current, :zero), \
                #created = if_not_exists(#created, :now), #kind = if_not_exists(#kind, :kind)
                """,
            names: [
                "#closed": Attribute.closedUntil, "#current": Attribute.currentOffset,
                "#created": Attribute.createdAt, "#kind": Attribute.kind,
            ],
            values: [
                ":until": .integer(until.milliseconds), ":zero": .integer(0),
                ":now": .integer(time.now().milliseconds), ":kind": .string(TopicItem.kind),
            ])
        _ = try await calling { () async throws(AWSError) in
            try await items.updateItem(update, deadline: Deadline.current)
        }
    }

    package func reopen(
        _ topic: TopicName, closedUntil: Timestamp, earliest: Offset, end: Offset, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        guard let item = try await item(of: topic), item.closedUntil == closedUntil else { return false }
        let newEnd = max(item.end, end)
        var update = DynamoDBUpdate(
            key: key(topic), update: "SET #current = :end, #settled = :settled, #at = :now",
            condition: "#closed = :closed AND #current = :current",
            names: [
                "#current": Attribute.currentOffset, "#closed": Attribute.closedUntil,
                "#claim": Attribute.claimOffset, "#id": Attribute.claimID, "#settled": Attribute.settledBelow,
                "#at": Attribute.claimedAt,
            ],
            values: [
                ":now": .integer(now.milliseconds), ":settled": .integer(newEnd.rawValue),
                ":end": .integer(newEnd.rawValue - 1), ":closed": .integer(closedUntil.milliseconds),
                ":current": .integer(item.currentOffset),
            ])
        // When what lies above the item as it came back was claimed, nobody knows. As if that had been today: it then
        // counts as kept for at least as long as it stands. Without a mark that is retained so does all that stands.
        let retained = periods.retained(at: now)
        let hasMark = item.marks.keys.contains { retained?.contains($0) ?? false }
        update.update += ", #mark = if_not_exists(#mark, :mark)"
        update.names["#mark"] = Attribute.mark(periods.day(ofClaimAt: now))
        if Mutant.healWithoutMark.isActive, hasMark { update.names["#mark"] = "unused" }
        update.values[":mark"] = .integer(hasMark ? item.currentOffset : min(earliest, newEnd).rawValue - 1)
        // What a branch can read below its own segments is its parent's to tell.
        if item.trimmedBefore == nil, item.branch == nil, retained == nil || item.marks.isEmpty {
            update.update += ", #trimmed = :low"
            update.names["#trimmed"] = Attribute.trimmedBefore
            update.values[":low"] = .integer(earliest.rawValue)
        }
        if Mutant.healBackwards.isActive {
            update.condition =
                "attribute_exists(#closed) OR attribute_not_exists(#closed) OR #current = :current OR #closed = :closed"
            update.values[":end"] = .integer(end.rawValue - 1)
        }
        update.update += " REMOVE #closed, #claim, #id"
        let final = update
        let outcome = try await calling { () async throws(AWSError) in
            try await items.updateItem(final, deadline: Deadline.current)
        }
        guard case .done = outcome else { return false }
        return true
    }

    /// Moves the low mark of a topic forward to `offset`, never back.
    ///
    /// The objects below stay until they expire, or maintenance deletes them.
    package func moveLowMark(of topic: TopicName, to offset: Offset) async throws(StoreError) {
        let update = DynamoDBUpdate(
            key: key(topic), update: "SET #trimmed = :offset, #trimmedAt = :now",
            condition: "attribute_exists(#kind) AND (attribute_not_exists(#trimmed) OR #trimmed < :offset)",
            names: [
                "#trimmed": Attribute.trimmedBefore, "#trimmedAt": Attribute.trimmedAt, "#kind": Attribute.kind,
            ],
            values: [":offset": .integer(offset.rawValue), ":now": .integer(time.now().milliseconds)])
        _ = try await calling { () async throws(AWSError) in
            try await items.updateItem(update, deadline: Deadline.current)
        }
    }
}
