package import StreamsCore
package import StreamsModel

extension AWSStore: InspectedStore {
    /// The topics of the index, and those that have objects.
    package func inspectedTopics() async throws(StoreError) -> [TopicName] {
        var names: Set<TopicName> = []
        var last = ""
        while true {
            let found = try await topics(prefix: "", after: last, limit: keysPerList)
            names.formUnion(found)
            guard found.count == keysPerList, let next = found.last?.rawValue else { break }
            last = next
        }
        last = ""
        while true {
            let found = try await storedTopics(after: last, limit: keysPerList)
            names.formUnion(found)
            guard found.count == keysPerList, let next = found.last?.rawValue else { break }
            last = next
        }
        return names.sorted()
    }

    /// One strong `GetItem`; an item of the prototype stays one.
    package func inspectedHead(of topic: TopicName) async throws(StoreError) -> TopicHead? {
        try await item(of: topic)?.head(retained: periods.retained(at: time.now()))
    }

    /// A list, and one `GetObject` a key.
    package func inspectedSegments(
        of topic: TopicName, from: Offset
    ) async throws(StoreError) -> [(key: SegmentKey, result: Result<Segment, StoreError>)] {
        let keys = try await list(topic, from: from, limit: 200).map(\.key)
        var found: [(key: SegmentKey, result: Result<Segment, StoreError>)] = []
        for (key, result) in zip(keys, await fetchVersions(keys)) {
            switch result {
            case .success(let stored?): found.append((key, .success(stored.segment)))
            // Merged or trimmed since the list: what covers it now stands at a higher key.
            case .success(nil): continue
            case .failure(let error) where error.code == .corrupt: found.append((key, .failure(error)))
            case .failure(let error): throw error
            }
        }
        // All of them gone is not the end of the topic.
        if found.isEmpty, let last = keys.last {
            return try await inspectedSegments(of: topic, from: last.last.advanced(by: 1))
        }
        return found
    }

    /// Nothing else is looked at.
    package func inspectedRest() async -> [Finding] { [] }
}
