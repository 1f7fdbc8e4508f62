package import StreamsCore
package import StreamsModel

extension AWSStore: MergingSegmentStore {
    /// What one `DeleteObjects` takes.
    package var deletesPerCall: Int { S3Client.objectsPerCall }

    /// How many objects are fetched side by side.
    private static let fetchesSideBySide = 16

    /// One `GetObject` a key, a few at a time; the version is the ETag.
    package func getVersions(_ keys: [SegmentKey]) async throws(StoreError) -> [StoredSegment?] {
        var found: [StoredSegment?] = []
        for result in await fetchVersions(keys) { found.append(try result.get()) }
        return found
    }

    /// What became of each key.
    func fetchVersions(_ keys: [SegmentKey]) async -> [Result<StoredSegment?, StoreError>] {
        let fetched = await withTaskGroup(of: FetchedVersion.self, returning: [FetchedVersion].self) { group in
            var fetched: [FetchedVersion] = []
            fetched.reserveCapacity(keys.count)
            var next = min(keys.count, Self.fetchesSideBySide)
            for index in 0..<next { group.addTask { await self.fetchVersion(keys[index], index) } }
            while let one = await group.next() {
                fetched.append(one)
                guard next < keys.count else { continue }
                let index = next
                next += 1
                group.addTask { await self.fetchVersion(keys[index], index) }
            }
            return fetched
        }
        return fetched.sorted { $0.index < $1.index }.map(\.result)
    }

    /// What became of one of several keys.
    private struct FetchedVersion: Sendable {
        var index: Int
        var result: Result<StoredSegment?, StoreError>
    }

    private func fetchVersion(_ key: SegmentKey, _ index: Int) async -> FetchedVersion {
        FetchedVersion(index: index, result: await fetchVersion(key))
    }

    private func fetchVersion(_ key: SegmentKey) async -> Result<StoredSegment?, StoreError> {
        do throws(StoreError) {
            let object = try await calling { () async throws(AWSError) in
                try await objects.getObject(key.objectKey, deadline: Deadline.current)
            }
            guard let object else { return .success(nil) }
            return .success(
                StoredSegment(
                    segment: try SegmentObject.segment(object, at: key), version: SegmentVersion(rawValue: object.etag))
            )
        } catch {
            return .failure(error)
        }
    }

    /// One `PutObject` with `If-Match`.
    package func replace(_ version: SegmentVersion, with segment: Segment) async throws(StoreError) -> Bool {
        let outcome = try await calling { () async throws(AWSError) in
            try await objects.putObject(
                segment.key.objectKey, body: segment.body, contentType: SegmentObject.contentType,
                metadata: SegmentObject.metadata(of: segment),
                condition: Mutant.mergeUnconditionally.isActive ? .none : .ifMatch(version.rawValue),
                deadline: Deadline.current)
        }
        guard case .stored = outcome else { return false }
        return true
    }

    /// One `DeleteObject` with `If-Match`.
    package func delete(_ key: SegmentKey, _ version: SegmentVersion) async throws(StoreError) -> Bool {
        try await calling { () async throws(AWSError) in
            try await objects.deleteObject(key.objectKey, ifMatch: version.rawValue, deadline: Deadline.current)
        }
    }

    /// One `DeleteObjects`.
    package func delete(_ keys: [SegmentKey]) async throws(StoreError) {
        let failures = try await calling { () async throws(AWSError) in
            try await objects.deleteObjects(keys.map(\.objectKey), deadline: Deadline.current)
        }
        guard let failure = failures.first else { return }
        throw StoreError(
            failure.code == "AccessDenied" ? .misconfigured : .unavailable, effect: .none,
            "S3 did not delete \(failures.count) objects, such as \(failure.key): \(failure.code) \(failure.message)")
    }

    /// `ListObjectsV2` with a delimiter: what stands between `topics/` and the next slash.
    package func storedTopics(after: String, limit: Int) async throws(StoreError) -> [TopicName] {
        var names: [TopicName] = []
        var continuationToken: String?
        while true {
            let (token, count) = (continuationToken, limit - names.count)
            let page = try await calling { () async throws(AWSError) in
                try await objects.listPrefixes(
                    prefix: SegmentKey.topicsPrefix,
                    // Behind every key of that topic.
                    startAfter: after.isEmpty ? nil : SegmentKey.topicsPrefix + after + "/~",
                    continuationToken: token, maxKeys: count, deadline: Deadline.current)
            }
            for prefix in page.prefixes {
                let name = prefix.dropFirst(SegmentKey.topicsPrefix.count).dropLast()
                // What others put there is not ours to judge.
                if let topic = try? TopicName(String(name)) { names.append(topic) }
            }
            guard names.count < limit, let next = page.continuationToken else { return Array(names.prefix(limit)) }
            continuationToken = next
        }
    }

    // MARK: The item

    /// One strong `GetItem`.
    package func upkeep(of topic: TopicName) async throws(StoreError) -> TopicUpkeep? {
        try await item(of: topic)?.upkeep
    }

    /// One `UpdateItem`.
    package func note(_ note: UpkeepNote, of topic: TopicName) async throws(StoreError) {
        var changes: [String] = []
        var update = DynamoDBUpdate(
            key: key(topic), update: "", condition: "attribute_exists(#kind)", names: ["#kind": Attribute.kind],
            values: [:])
        func set(_ name: String, _ attribute: String, _ value: Int64) {
            changes.append("#\(name) = :\(name)")
            update.names["#\(name)"] = attribute
            update.values[":\(name)"] = .integer(value)
        }
        if let offset = note.compactedBelow { set("compacted", Attribute.compactedBelow, offset.rawValue) }
        if let seen = note.trimSeen {
            set("seenBefore", Attribute.trimSeenBefore, seen.before.rawValue)
            set("seenAt", Attribute.trimSeenAt, seen.at.milliseconds)
        }
        guard !changes.isEmpty else { return }
        update.update = "SET " + changes.joined(separator: ", ")
        let final = update
        _ = try await calling { () async throws(AWSError) in
            try await items.updateItem(final, deadline: Deadline.current)
        }
    }
}
