package import StreamsCore
package import StreamsModel

extension AWSStore: SegmentStore {
    /// What one `ListObjectsV2` returns at most.
    package var keysPerList: Int { 1000 }

    /// How many objects are fetched side by side.
    private static let fetchesSideBySide = 32

    /// One `PutObject` with `If-None-Match: *`, signed with `signedAt`: S3 refuses it once that is 15 minutes ago.
    package func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        let isLate = Mutant.signPutsWhenSent.isActive && segment.kind == .messages
        let isLateFiller = Mutant.signFillersWhenSent.isActive && segment.kind == .filler
        let outcome = try await calling { () async throws(AWSError) in
            try await objects.putObject(
                segment.key.objectKey, body: segment.body, contentType: SegmentObject.contentType,
                metadata: SegmentObject.metadata(of: segment),
                condition: Mutant.putUnconditionally.isActive ? .none : .ifNoneMatch,
                signedAt: isLate || isLateFiller ? nil : signedAt, deadline: isLate ? nil : Deadline.current)
        }
        switch outcome {
        case .stored: return .stored
        case .conditionFailed: return .taken
        }
    }

    /// One `GetObject` a key, a few at a time, the answers in the order of the keys.
    package func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] {
        if keys.count == 1 { return [try await get(keys[0])] }
        let fetched = await withTaskGroup(of: Fetched.self, returning: [Fetched].self) { group in
            var fetched: [Fetched] = []
            fetched.reserveCapacity(keys.count)
            var next = min(keys.count, Self.fetchesSideBySide)
            for index in 0..<next { group.addTask { await self.fetch(keys[index], index) } }
            while let one = await group.next() {
                fetched.append(one)
                // One that fails spoils the rest.
                if case .failure = one.result { next = keys.count }
                guard next < keys.count else { continue }
                let index = next
                next += 1
                group.addTask { await self.fetch(keys[index], index) }
            }
            return fetched
        }
        for one in fetched { if case .failure(let error) = one.result { throw error } }
        var segments = [Segment?](repeating: nil, count: keys.count)
        for one in fetched { segments[one.index] = try one.result.get() }
        return segments
    }

    /// What became of one of several keys.
    private struct Fetched: Sendable {
        var index: Int
        var result: Result<Segment?, StoreError>
    }

    private func fetch(_ key: SegmentKey, _ index: Int) async -> Fetched {
        do throws(StoreError) {
            return Fetched(index: index, result: .success(try await get(key)))
        } catch {
            return Fetched(index: index, result: .failure(error))
        }
    }

    private func get(_ key: SegmentKey) async throws(StoreError) -> Segment? {
        let object = try await calling { () async throws(AWSError) in
            try await objects.getObject(key.objectKey, deadline: Deadline.current)
        }
        return try object.map { (object) throws(StoreError) in try SegmentObject.segment(object, at: key) }
    }

    /// `ListObjectsV2` with `start-after`: one for each 1,000 keys, up to the first that begins with no digit.
    ///
    /// S3 may return fewer keys than it was asked for, even none, and have more: only its token tells.
    package func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        let prefix = SegmentKey.objectPrefix(topic)
        let startAfter = SegmentKey.objectKey(topic, number: from.rawValue - 1)
        var continuationToken: String?
        var listings: [SegmentListing] = []
        var hasForeignKeys = false
        while true {
            // Where others' keys lie between ours, a page of just as many as are missing could be all theirs.
            let maxKeys = hasForeignKeys ? keysPerList : min(limit - listings.count, keysPerList)
            let token = continuationToken
            let page = try await calling { () async throws(AWSError) in
                try await objects.listObjects(
                    prefix: prefix, startAfter: startAfter, continuationToken: token, maxKeys: maxKeys,
                    deadline: Deadline.current)
            }
            for entry in page.entries {
                if SegmentKey.isAboveAll(objectKey: entry.key, of: topic) { return listings }
                // What others put there is not ours to judge.
                guard let key = SegmentKey(objectKey: entry.key, of: topic) else {
                    hasForeignKeys = true
                    continue
                }
                listings.append(SegmentListing(key: key, bodyBytes: entry.bodyBytes))
                if listings.count == limit { return listings }
            }
            guard page.isTruncated else { return listings }
            continuationToken = page.continuationToken
        }
    }
}
