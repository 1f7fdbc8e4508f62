import Logging
package import StreamsCore
package import StreamsModel
import Synchronization

extension AWSStore: Table {
    private typealias Attribute = TopicItem.Attribute

    /// Counter and segments live in different services, with different backups.
    package var mayGoBack: Bool { true }

    // MARK: Claim

    /// One `UpdateItem`, whose old values tell the range and the claim before it.
    package func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        precondition(request.count >= 1, "a claim takes at least one offset")
        while true {
            let (request, outcome) = try await update(for: request, claimUpdate)
            switch outcome {
            case .done(attributes: let attributes):
                return .claimed(try claim(request, before: TopicItem(attributes, topic: request.topic)))
            case .conditionFailed(item: nil):
                return .noSuchTopic
            case .conditionFailed(item: let item?):
                let item = try TopicItem(item, topic: request.topic)
                if let closedUntil = item.closedUntil { return .closed(until: closedUntil) }
                guard item.hasKind else {
                    try await adopt(request.topic, item)
                    continue
                }
                if item.claimID == request.id.hexadecimal { return .claimed(try ownClaim(request, in: item)) }
                return .unconfirmed(end: item.end)
            }
        }
    }

    /// Sends the update of a claim, signed with the claim's time; returns the request with the time that was sent.
    ///
    /// A process whose clock is wrong is told so by the first answer: its claim must not carry that clock's time, on
    /// which readers, marks and signatures rest.
    private func update(
        for request: ClaimRequest, isCreating: Bool = false, _ update: (ClaimRequest) -> DynamoDBUpdate
    ) async throws(StoreError) -> (ClaimRequest, DynamoDBWriteOutcome) {
        do throws(AWSError) {
            return (
                request,
                try await items.updateItem(update(request), signedAt: request.at, deadline: Deadline.current)
            )
        } catch {
            // What was confirmed so long ago may not be so any more.
            guard error.code == .signedTooLongAgo, request.confirmedEnd == nil, !isCreating else {
                throw error.storeError
            }
            var request = request
            request.at = time.now()
            let later = request
            let outcome = try await calling { () async throws(AWSError) in
                try await items.updateItem(update(later), signedAt: later.at, deadline: Deadline.current)
            }
            return (later, outcome)
        }
    }

    /// One `UpdateItem` that creates the item and takes its first claim.
    package func claimCreating(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        let (request, outcome) = try await update(for: request, isCreating: true, creatingUpdate)
        guard case .done = outcome else { return try await claim(request) }
        let range = Offset.first..<Offset.first.advanced(by: request.count)
        return .claimed(
            Claim(topic: request.topic, range: range, previousClaim: nil, at: request.at))
    }

    private func creatingUpdate(_ request: ClaimRequest) -> DynamoDBUpdate {
        DynamoDBUpdate(
            key: key(request.topic),
            update: """
                SET #claim = :one, #current = :count, #at = :at, #id = :id, #mark = :zero, #created = :at, #kind = :kind
                """,
            condition: "attribute_not_exists(#topic)",
            names: [
                "#claim": Attribute.claimOffset, "#current": Attribute.currentOffset, "#at": Attribute.claimedAt,
                "#id": Attribute.claimID, "#mark": Attribute.mark(periods.day(ofClaimAt: request.at)),
                "#created": Attribute.createdAt, "#kind": Attribute.kind, "#topic": Attribute.topic,
            ],
            values: [
                ":one": .integer(1), ":count": .integer(Int64(request.count)),
                ":at": .integer(request.at.milliseconds), ":id": .string(request.id.hexadecimal), ":zero": .integer(0),
                ":kind": .string(TopicItem.kind),
            ])
    }

    private func claimUpdate(_ request: ClaimRequest) -> DynamoDBUpdate {
        let mark = Attribute.mark(periods.day(ofClaimAt: request.at))
        var expression = """
            SET #claim = #current + :one, #current = #current + :count, #at = :at, #id = :id, \
            #mark = if_not_exists(#mark, #current)
            """
        var names = [
            "#claim": Attribute.claimOffset, "#current": Attribute.currentOffset, "#at": Attribute.claimedAt,
            "#id": Attribute.claimID, "#mark": mark, "#kind": Attribute.kind, "#closed": Attribute.closedUntil,
        ]
        let stale = staleMarks.withLock { $0.removeValue(forKey: request.topic) } ?? []
        for (index, day) in stale.enumerated() {
            expression += index == 0 ? " REMOVE #stale\(index)" : ", #stale\(index)"
            names["#stale\(index)"] = Attribute.mark(day)
        }
        var condition = """
            attribute_exists(#kind) AND attribute_not_exists(#closed) AND (attribute_not_exists(#id) OR #id <> :id)
            """
        var values: DynamoDBItem = [
            ":one": .integer(1), ":count": .integer(Int64(request.count)),
            ":at": .integer(request.at.milliseconds), ":id": .string(request.id.hexadecimal),
        ]
        if let trustedSince = request.trustedSince {
            values[":trusted"] = .integer(trustedSince.milliseconds)
            let confirmedEnd = request.confirmedEnd.map { $0.rawValue - 1 }
            condition +=
                confirmedEnd == nil ? " AND #at >= :trusted" : " AND (#at >= :trusted OR #current = :confirmed)"
            values[":confirmed"] = confirmedEnd.map { .integer($0) }
        }
        return DynamoDBUpdate(
            key: key(request.topic), update: expression, condition: condition, names: names, values: values,
            returnValues: .allOld)
    }

    /// The claim that moved an item on from this state.
    private func claim(_ request: ClaimRequest, before item: TopicItem) throws(StoreError) -> Claim {
        guard item.currentOffset <= TopicItem.offsetMaximum - Int64(request.count) else {
            throw StoreError(.corrupt, effect: .none, "The counter of \(request.topic) is beyond all bounds.")
        }
        rememberStaleMarks(of: request.topic, item)
        return Claim(
            topic: request.topic, range: item.end..<item.end.advanced(by: request.count),
            previousClaim: item.claimOffset, at: request.at)
    }

    /// The claim that an earlier try took whose answer was lost: it is the newest one in the item.
    private func ownClaim(_ request: ClaimRequest, in item: TopicItem) throws(StoreError) -> Claim {
        guard item.claimID == request.id.hexadecimal, let start = item.claimOffset else {
            throw StoreError(
                .unavailable, effect: .unknown, "The claim on \(request.topic) was refused for no visible reason.")
        }
        return Claim(
            topic: request.topic, range: start..<item.end, previousClaim: nil, at: item.claimedAt ?? request.at)
    }

    /// Keeps the item small: below 1 KB a claim costs one write unit.
    ///
    /// A mark goes a week after it has stopped to count, in case it is the clock that is wrong. Without a retention some
    /// are kept all the same, for a retention that is set later.
    private func rememberStaleMarks(of topic: TopicName, _ item: TopicItem) {
        let now = time.now()
        let needed = periods.retained(at: now)?.lowerBound ?? periods.day(ofClaimAt: now) - 31
        let stale = item.marks.keys.filter { $0 < needed - 7 }
        guard !stale.isEmpty else { return }
        // A few at a time: the expression has its limits too.
        staleMarks.withLock { $0[topic] = Set(stale.sorted().prefix(64)) }
    }

    // MARK: Read

    /// One strong `GetItem`.
    package func head(of topic: TopicName) async throws(StoreError) -> TopicHead? {
        while true {
            guard let item = try await item(of: topic) else { return nil }
            if item.hasKind { return item.head(retained: periods.retained(at: time.now())) }
            try await adopt(topic, item)
        }
    }

    private func item(of topic: TopicName) async throws(StoreError) -> TopicItem? {
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
        guard case .done = outcome else { return false }
        return true
    }

    /// Makes an item of the prototype one of ours: it gets a kind, so that lists show it, and a low mark.
    ///
    /// What its bucket holds may have begun to expire, and nothing in the item tells up to where. Here the first object
    /// may be asked, since the prototype's writers are gone: nothing below the counter is still on its way.
    private func adopt(_ topic: TopicName, _ item: TopicItem) async throws(StoreError) {
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

    // MARK: Close, reopen, trim

    /// One `UpdateItem`, which makes the item where there is none.
    package func close(_ topic: TopicName, until: Timestamp) async throws(StoreError) {
        let update = DynamoDBUpdate(
            key: key(topic),
            update: """
                SET #closed = if_not_exists(#closed, :until), #current = if_not_exists(#current, :zero), \
                #created = if_not_exists(#created, :now), #kind = :kind
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
        if item.trimmedBefore == nil, retained == nil || item.marks.isEmpty {
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
    /// The objects below stay until they expire.
    package func moveLowMark(of topic: TopicName, to offset: Offset) async throws(StoreError) {
        let update = DynamoDBUpdate(
            key: key(topic), update: "SET #trimmed = :offset",
            condition: "attribute_exists(#kind) AND (attribute_not_exists(#trimmed) OR #trimmed < :offset)",
            names: ["#trimmed": Attribute.trimmedBefore, "#kind": Attribute.kind],
            values: [":offset": .integer(offset.rawValue)])
        _ = try await calling { () async throws(AWSError) in
            try await items.updateItem(update, deadline: Deadline.current)
        }
    }

    private func key(_ topic: TopicName) -> DynamoDBItem { [Attribute.topic: .string(topic.rawValue)] }
}
