import Logging
package import StreamsModel

extension Log {
    /// Maintains topics: closes holes that dead writers left, merges small old segments, deletes what was trimmed.
    ///
    /// Safe beside everything else that works on the store, another maintenance too. What fails is in the report, and the
    /// other topics are maintained all the same.
    /// - Parameters:
    ///   - topics: which; all where none are named.
    ///   - store: where segments can be merged and deleted; `nil` where there is no use in that.
    ///   - settings: how far it goes.
    ///   - goesOn: asked before each step; where it says no, what is left is in the report.
    /// - Returns: what was done, and what was not.
    package func maintain(
        _ topics: [TopicName] = [], on store: (any MergingSegmentStore)?,
        settings: MaintenanceSettings = MaintenanceSettings(), goesOn: @Sendable () -> Bool = { true }
    ) async -> MaintenanceReport {
        var report = MaintenanceReport()
        do throws(StreamsError) {
            let topics = topics.isEmpty ? try await maintainedTopics(store) : topics
            for (index, topic) in topics.enumerated() {
                guard goesOn(), !Task.isCancelled else {
                    report.unfinished.append(
                        "Not looked at: the topics from \(topic) on, \(topics.count - index) of \(topics.count).")
                    break
                }
                report.add(await maintain(topic, on: store, settings, goesOn))
            }
        } catch {
            report.unfinished.append("The topics could not be listed: \(error.detail)")
        }
        return report
    }

    private func maintain(
        _ topic: TopicName, on store: (any MergingSegmentStore)?, _ settings: MaintenanceSettings,
        _ goesOn: @Sendable () -> Bool
    ) async -> MaintenanceReport {
        var maintenance = TopicMaintenance(log: self, store: store, topic: topic, settings: settings)
        do throws(StreamsError) {
            try await maintenance.run(goesOn)
        } catch {
            maintenance.report.unfinished.append("\(topic): \(error.detail)")
        }
        logger.debug("maintained", metadata: ["topic": "\(topic)", "merges": "\(maintenance.report.merges)"])
        return maintenance.report
    }

    /// The topics of the table, and those that only have segments.
    private func maintainedTopics(_ store: (any MergingSegmentStore)?) async throws(StreamsError) -> [TopicName] {
        let page = 1000
        var names: Set<TopicName> = []
        var last = ""
        while true {
            let (found, hasMore) = try await topics(prefix: "", after: last, limit: page)
            names.formUnion(found)
            guard hasMore, let next = found.last else { break }
            last = next.rawValue
        }
        if let store { names.formUnion(try await storedTopics(store)) }
        return names.sorted()
    }

    /// All topics that have segments.
    package func storedTopics(_ store: any MergingSegmentStore) async throws(StreamsError) -> [TopicName] {
        let page = 1000
        var names: [TopicName] = []
        while true {
            let last = names.last?.rawValue ?? ""
            let found = try await reading { () async throws(StoreError) in
                try await store.storedTopics(after: last, limit: page)
            }
            names += found
            guard found.count == page else { return names }
        }
    }
}
