package import StreamsModel

/// A store that can be read whole, as it is, without changing anything.
package protocol InspectedStore: Sendable {
    /// All topics that have an item or a segment, in name order.
    func inspectedTopics() async throws(StoreError) -> [TopicName]

    /// What the item of a topic says, read and not completed; `nil` where there is none.
    func inspectedHead(of topic: TopicName) async throws(StoreError) -> TopicHead?

    /// The segments at or above an offset, in order of their keys, a bounded number of them; none at the end.
    ///
    /// One that can not be read is a failure of its own.
    func inspectedSegments(
        of topic: TopicName, from: Offset
    ) async throws(StoreError) -> [(key: SegmentKey, result: Result<Segment, StoreError>)]

    /// What is wrong beside the topics.
    func inspectedRest() async throws(StoreError) -> [Finding]
}

/// Reads a whole store and says what is inconsistent in it.
package struct Verification: Sendable {
    /// What was read.
    package struct Summary: Sendable, Equatable {
        /// Topics.
        package var topics = 0
        /// Segments.
        package var segments = 0
        /// Messages.
        package var messages = 0
        /// Findings that are errors.
        package var errors = 0
        /// Findings that pass by themselves, or by maintenance.
        package var notes = 0
    }

    private let store: any InspectedStore
    private let time: any TimeSource

    /// Plans a verification.
    package init(_ store: any InspectedStore, time: any TimeSource) {
        self.store = store
        self.time = time
    }

    /// Reads everything; `report` is told of each finding as soon as it is known.
    ///
    /// - Throws: where the store can not be read on; what was found until then was told.
    package func run(
        _ report: @Sendable (Finding) -> Void, goesOn: @Sendable () -> Bool = { true }
    ) async throws(StoreError) -> Summary {
        var summary = Summary()
        func tell(_ findings: [Finding]) {
            for finding in findings {
                if finding.isError { summary.errors += 1 } else { summary.notes += 1 }
                report(finding)
            }
        }
        for topic in try await store.inspectedTopics() {
            // Read before the segments: what is stored meanwhile may lie above what it says.
            let head = try await store.inspectedHead(of: topic)
            var verifier = TopicVerifier(topic, head: head, at: time.now())
            var from = head?.earliest ?? .first
            while true {
                guard goesOn() else { throw .interrupted }
                let segments = try await store.inspectedSegments(of: topic, from: from)
                guard let last = segments.last?.key.last else { break }
                for (key, result) in segments { verifier.see(key, result) }
                from = last.advanced(by: 1)
            }
            summary.topics += 1
            summary.segments += verifier.segmentCount
            summary.messages += verifier.messageCount
            verifier.finish()
            tell(try await confirmed(verifier.findings, of: topic))
        }
        tell(try await store.inspectedRest())
        return summary
    }

    /// What is left of findings that may come of appends during the reading: the counter is read again.
    private func confirmed(_ findings: [Finding], of topic: TopicName) async throws(StoreError) -> [Finding] {
        guard findings.contains(where: { $0.kind == .counterBehind || $0.kind == .noItem }) else { return findings }
        guard let head = try await store.inspectedHead(of: topic) else { return findings }
        return findings.filter { finding in
            switch finding.kind {
            case .noItem: false
            case .counterBehind: finding.offset.map { $0 >= head.end } ?? true
            default: true
            }
        }
    }
}

extension StoreError {
    /// Somebody ended it.
    static let interrupted = StoreError(.closed, effect: .none, "It was interrupted: the rest was not looked at.")
}
