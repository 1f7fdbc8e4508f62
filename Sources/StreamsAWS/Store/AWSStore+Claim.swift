package import StreamsCore
package import StreamsModel
import Synchronization

/// How claims are taken from a topic's item.
extension AWSStore {
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
                if item.deletedAt != nil { return .noSuchTopic }
                guard item.hasKind else {
                    try await adopt(request.topic, item)
                    continue
                }
                if item.claimID == request.id.hexadecimal { return .claimed(try ownClaim(request, in: item)) }
                return try refusal(request, item)
            }
        }
    }

    /// Why an item that is open was not claimed from.
    ///
    /// An item that may have come back from a backup tells neither its token nor its end for sure.
    private func refusal(_ request: ClaimRequest, _ item: TopicItem) throws(StoreError) -> ClaimOutcome {
        if let trustedSince = request.trustedSince, request.confirmedEnd != item.end {
            guard let claimedAt = item.claimedAt, claimedAt >= trustedSince else { return .unconfirmed(end: item.end) }
        }
        if request.fencingToken != item.fencingToken { return .fenced }
        if let expectedEnd = request.expectedEnd, expectedEnd != item.end { return .endMismatch(end: item.end) }
        throw StoreError(
            .unavailable, effect: .none, "The claim on \(request.topic) was refused for no visible reason.")
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
        if case .conditionFailed(item: let item?) = outcome {
            let item = try TopicItem(item, topic: request.topic)
            if let deletedAt = item.deletedAt, item.closedUntil == nil {
                return try await claimReviving(request, item, deletedAt)
            }
        }
        guard case .done = outcome else { return try await claim(request) }
        let range = Offset.first..<Offset.first.advanced(by: request.count)
        return .claimed(
            Claim(topic: request.topic, range: range, previousClaim: nil, at: request.at))
    }

    /// One `UpdateItem` that makes a deleted topic again, as it was seen, and takes its first claim.
    ///
    /// The deleted item may have come back from a backup: as with an old item, what trusts in it confirms its end.
    private func claimReviving(
        _ request: ClaimRequest, _ item: TopicItem, _ deletedAt: Timestamp
    ) async throws(StoreError) -> ClaimOutcome {
        if request.trustedAge != nil, request.confirmedEnd != item.end { return .unconfirmed(end: item.end) }
        // Judged here, and held by the condition that the item ends where it was seen to.
        if request.fencingToken != item.fencingToken { return .fenced }
        if let expectedEnd = request.expectedEnd, expectedEnd != item.end { return .endMismatch(end: item.end) }
        let update = claimUpdate(request, reviving: item, deletedAt)
        let outcome = try await calling { () async throws(AWSError) in
            try await items.updateItem(update, deadline: Deadline.current)
        }
        switch outcome {
        case .done(attributes: let attributes):
            return .claimed(try claim(request, before: TopicItem(attributes, topic: request.topic)))
        case .conditionFailed: return try await claim(request)
        }
    }

    private func claimUpdate(
        _ request: ClaimRequest, reviving item: TopicItem, _ deletedAt: Timestamp
    ) -> DynamoDBUpdate {
        DynamoDBUpdate(
            key: key(request.topic),
            update: """
                SET #claim = #current + :one, #current = #current + :count, #at = :at, #id = :id, \
                #mark = if_not_exists(#mark, #current), #created = :created, #kind = :kind REMOVE #deleted
                """,
            condition: "#deleted = :deleted AND #current = :confirmed AND attribute_not_exists(#closed)",
            names: [
                "#claim": Attribute.claimOffset, "#current": Attribute.currentOffset, "#at": Attribute.claimedAt,
                "#id": Attribute.claimID, "#mark": Attribute.mark(periods.day(ofClaimAt: request.at)),
                "#created": Attribute.createdAt, "#kind": Attribute.kind, "#deleted": Attribute.deletedAt,
                "#closed": Attribute.closedUntil,
            ],
            values: [
                ":one": .integer(1), ":count": .integer(Int64(request.count)),
                ":at": .integer(request.at.milliseconds), ":id": .string(request.id.hexadecimal),
                ":created": .integer(max(request.at.milliseconds, deletedAt.milliseconds + 1)),
                ":kind": .string(TopicItem.kind), ":deleted": .integer(deletedAt.milliseconds),
                ":confirmed": .integer(item.currentOffset),
            ], returnValues: .allOld)
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
            "#deleted": Attribute.deletedAt,
        ]
        if !Mutant.checkTokenBeforeClaim.isActive { names["#token"] = Attribute.fencingToken }
        let stale = staleMarks.withLock { $0.removeValue(forKey: request.topic) } ?? []
        for (index, day) in stale.enumerated() {
            expression += index == 0 ? " REMOVE #stale\(index)" : ", #stale\(index)"
            names["#stale\(index)"] = Attribute.mark(day)
        }
        var condition = """
            attribute_exists(#kind) AND attribute_not_exists(#closed) AND attribute_not_exists(#deleted) \
            AND (attribute_not_exists(#id) OR #id <> :id)
            """
        if Mutant.claimFromDeleted.isActive {
            condition = condition.replacing(
                "attribute_not_exists(#deleted)", with: "(attribute_exists(#deleted) OR attribute_not_exists(#deleted))"
            )
        }
        var values: DynamoDBItem = [
            ":one": .integer(1), ":count": .integer(Int64(request.count)),
            ":at": .integer(request.at.milliseconds), ":id": .string(request.id.hexadecimal),
        ]
        if let expectedEnd = request.expectedEnd {
            values[":expected"] = .integer(expectedEnd.rawValue - 1)
            condition += " AND #current = :expected"
        }
        if names["#token"] != nil {
            values[":token"] = request.fencingToken.map { .string($0.rawValue) }
            condition += request.fencingToken == nil ? " AND attribute_not_exists(#token)" : " AND #token = :token"
        }
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
}
