import StreamsModel

/// Carries merges out: the write over the last of the parts, then the deletes of the others.
struct SegmentMerger: Sendable {
    let store: any MergingSegmentStore

    /// What came of one merge, or of one run of deletes.
    struct Outcome: Sendable {
        /// Whether the merged segment was written.
        var isWritten = false
        /// How many segments are gone.
        var deleted = 0
        /// Whether all of it was done.
        var isDone = false
        /// What is wrong with what was to be written, as the end of a sentence.
        var defect: String?
    }

    /// Writes the merged segment over the last of its parts, then deletes the others.
    func merge(_ inputs: [StoredSegment]) async throws(StoreError) -> Outcome {
        var outcome = Outcome()
        guard let last = inputs.last, let merged = Segment.merged(inputs.map(\.segment)) else { return outcome }
        // Asserted before it is written: nothing else remains of the parts.
        outcome.defect = merged.defect
        guard outcome.defect == nil else { return outcome }
        outcome.isWritten = try await store.replace(last.version, with: merged)
        // Somebody else is at it, or it was this very write whose answer was lost: the next walk finds out.
        guard outcome.isWritten else { return outcome }
        let deletes = try await delete(inputs.dropLast())
        outcome.deleted = deletes.deleted
        outcome.isDone = deletes.isDone
        return outcome
    }

    /// Deletes segments that a merged one holds, from the highest key down.
    ///
    /// In any other order, or past one that has become another one, a reader would meet a segment without the one below
    /// it, and take that for a hole.
    func delete(_ inputs: some BidirectionalCollection<StoredSegment>) async throws(StoreError) -> Outcome {
        var outcome = Outcome()
        for stored in Mutant.deleteFromBelow.isActive ? Array(inputs) : inputs.reversed() {
            let key = stored.segment.key
            if Mutant.deleteUnconditionally.isActive {
                try await store.delete([key])
                continue
            }
            if try await store.delete(key, stored.version) {
                outcome.deleted += 1
            } else if !Mutant.deletePastMismatches.isActive {
                return outcome
            }
        }
        outcome.isDone = true
        return outcome
    }

    /// Carries out merges of runs that have nothing in common, side by side; the outcomes are in their order.
    func merge(_ runs: [[StoredSegment]]) async -> [Result<Outcome, StoreError>] {
        let ended = await withTaskGroup(of: Ended.self, returning: [Ended].self) { group in
            for (index, inputs) in runs.enumerated() {
                group.addTask { await self.merge(inputs, index) }
            }
            var ended: [Ended] = []
            ended.reserveCapacity(runs.count)
            while let one = await group.next() { ended.append(one) }
            return ended
        }
        return ended.sorted { $0.index < $1.index }.map(\.result)
    }

    /// What became of one of several runs.
    private struct Ended: Sendable {
        var index: Int
        var result: Result<Outcome, StoreError>
    }

    private func merge(_ inputs: [StoredSegment], _ index: Int) async -> Ended {
        do throws(StoreError) {
            return Ended(index: index, result: .success(try await merge(inputs)))
        } catch {
            return Ended(index: index, result: .failure(error))
        }
    }
}
