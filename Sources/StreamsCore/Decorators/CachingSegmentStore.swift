import DequeModule
package import StreamsModel
import Synchronization

/// Keeps the segments that were stored or read last in memory, so that many readers at a topic's end cost one read.
///
/// Safe because messages are immutable. A trimmed segment may still be here, but readers look at the low mark first; one
/// that was merged may be here too, so readers look at the store itself before they take a gap for one.
package final class CachingSegmentStore: SegmentStore {
    private struct State {
        var segments: [SegmentKey: Segment] = [:]
        /// In order of arrival: the first leaves first.
        var order: Deque<SegmentKey> = []
        var bytes = 0
    }

    private let base: any SegmentStore
    private let bytesMaximum: Int
    private let state = Mutex(State())

    /// Puts a cache of at most `bytesMaximum` bytes of bodies in front of a store.
    package init(_ base: any SegmentStore, bytesMaximum: Int) {
        self.base = base
        self.bytesMaximum = bytesMaximum
    }

    package var keysPerList: Int { base.keysPerList }

    package func put(_ segment: Segment, signedAt: Timestamp) async throws(StoreError) -> PutOutcome {
        let outcome = try await base.put(segment, signedAt: signedAt)
        if outcome == .stored { keep(segment) }
        return outcome
    }

    package func get(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] {
        var found = state.withLock { state in keys.map { state.segments[$0] } }
        let missing = keys.indices.filter { found[$0] == nil }
        guard !missing.isEmpty else { return found }
        for (index, segment) in zip(missing, try await base.get(missing.map { keys[$0] })) {
            found[index] = segment
            // A long read of old segments would only push out what many wait for.
            if let segment, missing.count == 1 { keep(segment) }
        }
        return found
    }

    package func getUncached(_ keys: [SegmentKey]) async throws(StoreError) -> [Segment?] {
        let found = try await base.getUncached(keys)
        for (key, segment) in zip(keys, found) { update(key, segment) }
        return found
    }

    package var isCache: Bool { true }

    package func list(_ topic: TopicName, from: Offset, limit: Int) async throws(StoreError) -> [SegmentListing] {
        try await base.list(topic, from: from, limit: limit)
    }

    /// Puts what stands now in the place of what was kept of a key.
    private func update(_ key: SegmentKey, _ segment: Segment?) {
        state.withLock { state in
            guard let old = state.segments[key], old != segment else { return }
            state.bytes += (segment?.body.count ?? 0) - old.body.count
            // A key without a segment stays in the order, and leaves with its turn.
            state.segments[key] = segment
        }
    }

    private func keep(_ segment: Segment) {
        // What every segment costs beside its body, roughly, so that many small ones are counted too.
        let cost = segment.body.count + 256
        guard cost <= bytesMaximum / 4 else { return }
        state.withLock { state in
            guard state.segments.updateValue(segment, forKey: segment.key) == nil else { return }
            state.order.append(segment.key)
            state.bytes += cost
            while state.bytes > bytesMaximum, let oldest = state.order.popFirst() {
                state.bytes -= (state.segments.removeValue(forKey: oldest)?.body.count ?? 0) + 256
            }
        }
    }
}
