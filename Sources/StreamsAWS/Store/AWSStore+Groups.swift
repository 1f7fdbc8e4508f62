package import StreamsCore
package import StreamsModel

/// Consumer groups as items of the table.
extension AWSStore {
    /// One strong `GetItem`.
    package func group(_ key: GroupKey) async throws(StoreError) -> Group? {
        let found = try await calling { () async throws(AWSError) in
            try await items.getItem(itemKey(key), isConsistent: true, deadline: Deadline.current)
        }
        return try found.map { (item) throws(StoreError) in try GroupItem.decode(item, key) }
    }

    /// `Query`s of the index for the names, and a strong `GetItem` for each.
    package func groups(of topic: TopicName, after: String, limit: Int) async throws(StoreError) -> [Group] {
        let prefix = GroupItem.prefix(topic)
        var query = DynamoDBQuery(
            index: TopicItem.kindIndex, keyCondition: "#kind = :kind AND #key BETWEEN :low AND :high",
            names: ["#kind": GroupItem.Attribute.kind, "#key": GroupItem.Attribute.key],
            values: [
                // Names are made of characters between these two.
                ":kind": .string(GroupItem.kind(topic)), ":low": .string(prefix + after + "!"),
                ":high": .string(prefix + "~"),
            ], limit: limit)
        // An empty range is an error to DynamoDB.
        guard prefix + after + "!" <= prefix + "~" else { return [] }
        var groups: [Group] = []
        repeat {
            query.limit = limit - groups.count
            let page = try await calling { () async throws(AWSError) in
                try await items.query(query, deadline: Deadline.current)
            }
            for item in page.items {
                guard let text = item[GroupItem.Attribute.key]?.string, text.hasPrefix(prefix),
                    let name = try? GroupName(String(text.dropFirst(prefix.count))),
                    let group = try await group(GroupKey(topic: topic, name: name)), !group.isRemoved
                else { continue }
                groups.append(group)
            }
            query.exclusiveStartKey = page.lastEvaluatedKey
        } while groups.count < limit && query.exclusiveStartKey != nil
        return groups
    }

    /// One `PutItem` on condition of the version that it replaces.
    ///
    /// Signed with the time that the lease was reckoned from: a clock that is far off shows before it does harm.
    package func store(
        _ group: Group, replacing seen: AppendID?, at now: Timestamp
    ) async throws(StoreError) -> Bool {
        var condition: DynamoDBCondition? =
            if let seen {
                DynamoDBCondition(
                    "#version = :seen", names: ["#version": GroupItem.Attribute.version],
                    values: [":seen": .string(seen.hexadecimal)])
            } else {
                DynamoDBCondition("attribute_not_exists(#key)", names: ["#key": GroupItem.Attribute.key])
            }
        if Mutant.storeGroupsUnconditionally.isActive { condition = nil }
        let (item, holds) = (GroupItem.encode(group, at: now), condition)
        let outcome = try await calling { () async throws(AWSError) in
            try await items.putItem(item, condition: holds, signedAt: now, deadline: Deadline.current)
        }
        switch outcome {
        case .done: return true
        // An earlier try whose answer was lost.
        case .conditionFailed(let item):
            return item?[GroupItem.Attribute.version]?.string == group.version.hexadecimal
        }
    }

    /// One `UpdateItem`, whose conditions are those of ``Group/committing(_:)``; the item comes back either way.
    package func commit(_ request: CommitRequest) async throws(StoreError) -> CommitOutcome {
        let update = commitUpdate(request)
        let outcome = try await calling { () async throws(AWSError) in
            try await items.updateItem(update, signedAt: request.at, deadline: Deadline.current)
        }
        switch outcome {
        case .done(attributes: let item):
            return .committed(try GroupItem.decode(item, request.key))
        case .conditionFailed(item: nil):
            return .refused(nil)
        case .conditionFailed(item: let item?):
            let standing = try GroupItem.decode(item, request.key)
            return standing.version == request.version ? .committed(standing) : .refused(standing)
        }
    }

    private func commitUpdate(_ request: CommitRequest) -> DynamoDBUpdate {
        typealias Attribute = GroupItem.Attribute
        // The last of them keeps one that comes late from setting the end of the lease back.
        var condition = """
            #committed <= :offset AND #delivered >= :offset AND attribute_not_exists(#removed) \
            AND (#committed < :offset OR #renewed < :at)
            """
        var names = [
            "#committed": Attribute.committedOffset, "#delivered": Attribute.deliveredOffset,
            "#removed": Attribute.removed, "#renewed": Attribute.leaseRenewedAt, "#expires": Attribute.leaseExpiresAt,
            "#length": Attribute.leaseMilliseconds, "#version": Attribute.version,
        ]
        var values: DynamoDBItem = [
            ":offset": .integer(request.offset.rawValue), ":at": .integer(request.at.milliseconds),
            ":version": .string(request.version.hexadecimal),
        ]
        if !Mutant.commitUnderAnyGeneration.isActive {
            condition += " AND #generation = :generation AND #consumer = :consumer"
            names["#generation"] = Attribute.generation
            names["#consumer"] = Attribute.consumer
            values[":generation"] = .integer(request.generation.rawValue)
            values[":consumer"] = .string(request.consumer)
        }
        return DynamoDBUpdate(
            key: itemKey(request.key),
            update: "SET #committed = :offset, #expires = :at + #length, #renewed = :at, #version = :version",
            condition: condition, names: names, values: values, returnValues: .allNew)
    }

    private func itemKey(_ key: GroupKey) -> DynamoDBItem {
        [GroupItem.Attribute.key: .string(GroupItem.key(key))]
    }
}
