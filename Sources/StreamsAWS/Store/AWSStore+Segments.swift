package import StreamsCore
package import StreamsModel

extension AWSStore: SegmentStore {
    /// What one `ListObjectsV2` returns at most.
    package var keysPerList: Int { 1000 }

    /// How many objects are fetched side by side.
    private static let fetchesSideBySide = 32

    /// One `PutObject` with `If-None-Match: *`, signed with `signedAt`: S3 refuses it once that is 15 minutes ago.
    package func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        let outcome = try await calling { () async throws(AWSError) in
            try await objects.putObject(
                segment.key.objectKey, body: segment.body, contentType: SegmentObject.contentType,
                metadata: SegmentObject.metadata(of: segment), condition: .ifNoneMatch, signedAt: signedAt,
                deadline: Deadline.current)
        }
        switch outcome {
        case .stored: return .stored
        case .conditionFailed: return .taken
        }
    }

    /// One `GetObject` a key, a few at a time, the answers in the order of the keys.
    package func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] {
        if keys.count == 1 { return [try await get(keys[0])] }
        var results = [Result<Segment?, StoreError>?](repeating: nil, count: keys.count)
        await withTaskGroup(of: (Int, Result<Segment?, StoreError>).self) { group in
            var next = 0
            func fetchNext() {
                guard next < keys.count else { return }
                let index = next
                next += 1
                group.addTask {
                    do throws(StoreError) {
                        return (index, .success(try await self.get(keys[index])))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for _ in 0..<Self.fetchesSideBySide { fetchNext() }
            while let (index, result) = await group.next() {
                results[index] = result
                // One that fails spoils the rest.
                if case .failure = result { next = keys.count }
                fetchNext()
            }
        }
        var segments: [Segment?] = []
        segments.reserveCapacity(keys.count)
        for result in results {
            if case .failure(let error)? = result { throw error }
        }
        for result in results { segments.append(try result?.get() ?? nil) }
        return segments
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
