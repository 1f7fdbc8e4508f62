import Logging
import StreamsModel

/// Maintains one topic: one walk from where the last one ended to the first claim that is too young.
struct TopicMaintenance {
    let log: Log
    let store: (any MergingSegmentStore)?
    let topic: TopicName
    let settings: MaintenanceSettings
    var report = MaintenanceReport()

    /// Up to where all is unbroken so far.
    private var next = Offset.first
    private var window: MergeWindow
    private var relists = 0
    /// Where the first segment begins that is too young to be merged, as far as one was met.
    private var youngFrom: Offset?
    /// Runs whose merges wait for more of them.
    private var pending: [[StoredSegment]] = []
    /// Where a merge began that did not come to its end: the next walk begins there.
    private var unsettled: Offset?

    init(log: Log, store: (any MergingSegmentStore)?, topic: TopicName, settings: MaintenanceSettings) {
        self.log = log
        self.store = store
        self.topic = topic
        self.settings = settings
        window = MergeWindow(settings)
    }

    /// What came of a step of the walk.
    private enum Step {
        case goOn
        /// Look at the list again.
        case relist
        /// The rest is too young, or somebody else is at it.
        case stop
    }

    /// Does all there is to do.
    mutating func run(_ goesOn: @Sendable () -> Bool) async throws(StreamsError) {
        report.topics = 1
        let upkeep = try await calling { [log, topic] () async throws(StoreError) in
            try await log.table.upkeep(of: topic)
        }
        if let store, let upkeep { try await deleteTrimmed(upkeep, on: store, goesOn) }
        guard let head = try await log.head(of: topic), head.closedUntil == nil else { return }
        let earliest = try await applyRetention(head)
        let start = max(earliest, head.branch?.fork ?? .first, upkeep?.noted.compactedBelow ?? .first)
        next = start
        do throws(StreamsError) {
            try await walk(from: head, goesOn)
        } catch {
            await note(from: start, upkeep)
            throw error
        }
        await note(from: start, upkeep)
    }

    /// Trims what the topic's own settings let go; returns the earliest offset then.
    ///
    /// Stores that cannot delete single segments have other means to keep a topic within its bounds.
    private mutating func applyRetention(_ head: TopicHead) async throws(StreamsError) -> Offset {
        guard let store, !head.isDeleted, head.settings.isBounded else { return head.earliest }
        let mark = try await calling { [log, topic] () async throws(StoreError) in
            try await store.retentionMark(of: topic, in: head, at: log.time.now())
        }
        guard mark > max(head.earliest, head.branch?.fork ?? .first) else { return head.earliest }
        let trimmed = try await log.changing { [log, topic] () async throws(StoreError) in
            try await log.table.trim(topic, createdAt: head.createdAt, before: mark, at: log.time.now())
        }
        report.trimmedBySettings += 1
        return max(trimmed?.earliest ?? head.earliest, head.earliest)
    }

    // MARK: The walk

    private mutating func walk(from head: TopicHead, _ goesOn: @Sendable () -> Bool) async throws(StreamsError) {
        walking: while true {
            guard goesOn(), !Task.isCancelled else {
                report.unfinished.append("\(topic) was maintained up to offset \(next) only.")
                return
            }
            let (from, limit) = (next, log.segments.keysPerList)
            let listings = try await calling { [log, topic] () async throws(StoreError) in
                try await log.segments.list(topic, from: from, limit: limit)
            }
            guard !listings.isEmpty else {
                guard next < head.end, try await closeGap() else { break }
                continue
            }
            var rest = listings[...]
            while !rest.isEmpty {
                guard goesOn() else { continue walking }
                let group = prefix(of: rest)
                rest = rest.dropFirst(group.count)
                switch try await look(at: group) {
                case .goOn: continue
                case .relist: continue walking
                case .stop: break walking
                }
            }
        }
        // What comes of it may grow later: the next walk begins there.
        guard unsettled == nil else { return }
        if window.isWorthMerging { pending.append(window.inputs) }
        _ = try await mergePending()
    }

    /// As many keys as are fetched at once, at least one.
    private func prefix(of listings: ArraySlice<SegmentListing>) -> [SegmentKey] {
        var bytes = 0
        var keys: [SegmentKey] = []
        for listing in listings.prefix(settings.fetchMaximum) {
            keys.append(listing.key)
            bytes += listing.bodyBytes
            if bytes >= settings.fetchBytesMaximum { break }
        }
        return keys
    }

    private mutating func look(at keys: [SegmentKey]) async throws(StreamsError) -> Step {
        for found in try await fetch(keys) {
            guard let found else {
                relists += 1
                return relists <= SegmentReader.relistMaximum ? .relist : .stop
            }
            let segment = found.segment
            if segment.range.lowerBound > next { return try await closeGap() ? .relist : .stop }
            if let defect = segment.defect {
                report.defects.append("\(topic), offset \(segment.range.last): the segment \(defect).")
                guard try await perform(window.finish()) else { return .stop }
                next = max(next, segment.range.upperBound)
                continue
            }
            let isOld = segment.timestamp.duration(to: log.time.now()) >= settings.compactionAge
            if !isOld, !Mutant.mergeYoung.isActive {
                // Behind the filler of a hole that was closed just now there may be another old hole.
                guard segment.kind == .filler else { return .stop }
                youngFrom = youngFrom ?? segment.range.lowerBound
            }
            if youngFrom == nil { count(segment) }
            if store != nil, youngFrom == nil {
                guard try await perform(window.add(found)) else { return .stop }
            }
            next = max(next, segment.range.upperBound)
        }
        return .goOn
    }

    private mutating func count(_ segment: Segment) {
        let stock = MaintenanceReport.Stock(
            segments: 1, bytes: segment.body.count, messages: segment.messageCount)
        report.before = report.before + stock
        report.after = report.after + stock
    }

    private func fetch(_ keys: [SegmentKey]) async throws(StreamsError) -> [StoredSegment?] {
        try await calling { [store, log] () async throws(StoreError) in
            if let store { return try await store.getVersions(keys) }
            return try await log.segments.getUncached(keys).map { segment in
                segment.map { StoredSegment(segment: $0, version: SegmentVersion(rawValue: "")) }
            }
        }
    }

    /// Closes the hole at ``next`` by the rules that readers follow; returns whether it is worth looking again.
    private mutating func closeGap() async throws(StreamsError) -> Bool {
        guard let head = try await log.head(of: topic), head.closedUntil == nil, next < head.end else { return false }
        var reader = SegmentReader(log: log, topic: topic, head: head)
        reader.mayGuess = false
        var pass = SegmentReader.Pass(next: next)
        try await reader.extend(&pass, limit: 1, bytesMaximum: 1)
        guard let gap = pass.gap, pass.next == next else {
            // It is closed by now.
            relists += 1
            return relists <= SegmentReader.relistMaximum
        }
        switch try await log.resolve(gap, of: topic, in: head) {
        case .closed:
            report.holesClosed += 1
            return true
        case .trimmed, .unlisted, .unfinished: return false
        }
    }

    // MARK: Merging

    /// Does what the window asks for, merges a few at a time; returns whether to go on.
    private mutating func perform(_ action: MergeWindow.Action) async throws(StreamsError) -> Bool {
        switch action {
        case .none: return true
        case .merge(let inputs):
            pending.append(inputs)
            return pending.count < settings.mergesSideBySide ? true : try await mergePending()
        case .deleteCovered(let covered):
            guard try await mergePending(), let store else { return false }
            unsettled = covered.first?.segment.range.lowerBound
            let outcome = try await calling { () async throws(StoreError) in
                try await SegmentMerger(store: store).delete(covered)
            }
            report.after.segments -= outcome.deleted
            if outcome.isDone { unsettled = nil }
            return outcome.isDone
        }
    }

    /// Carries out the merges that wait; returns whether all of them came to their end.
    private mutating func mergePending() async throws(StreamsError) -> Bool {
        guard let store, !pending.isEmpty else { return true }
        let runs = pending
        pending = []
        var failure: StoreError?
        for (inputs, result) in zip(runs, await SegmentMerger(store: store).merge(runs)) {
            var isDone = false
            switch result {
            case .failure(let error): failure = failure ?? error
            case .success(let outcome):
                isDone = outcome.isDone
                report.merges += outcome.isWritten ? 1 : 0
                report.after.segments -= outcome.deleted
                if let defect = outcome.defect {
                    report.defects.append(
                        "\(topic), offset \(inputs.first?.segment.range.last ?? next): what was merged \(defect).")
                }
            }
            if !isDone, unsettled == nil { unsettled = inputs.first?.segment.range.lowerBound }
        }
        if let failure { try await calling { () async throws(StoreError) in throw failure } }
        return unsettled == nil
    }

    // MARK: Trims and notes

    /// Deletes what was trimmed long enough ago; its order does not matter, since readers are refused there.
    private mutating func deleteTrimmed(
        _ upkeep: TopicUpkeep, on store: any MergingSegmentStore, _ goesOn: @Sendable () -> Bool
    ) async throws(StreamsError) {
        let age = Mutant.deleteTrimmedAtOnce.isActive ? .zero : settings.trimmedAge
        guard let end = upkeep.deletableBelow(at: log.time.now(), age: age) else { return }
        var first: SegmentKey?
        while true {
            guard goesOn() else {
                report.unfinished.append("\(topic) still has segments below offset \(end), which are trimmed.")
                return
            }
            let keys = try await calling { [topic] () async throws(StoreError) in
                try await store.list(topic, from: .first, limit: store.deletesPerCall)
            }.map(\.key).filter { $0.last < end }
            guard !keys.isEmpty else { return }
            guard keys.first != first else {
                report.unfinished.append("\(topic) has segments below offset \(end) that the store does not delete.")
                return
            }
            first = keys.first
            try await calling { () async throws(StoreError) in try await store.delete(keys) }
            report.trimmedDeleted += keys.count
        }
    }

    /// Notes how far the walk came: the next one begins there.
    ///
    /// A note that is lost costs the next walk its time.
    private func note(from start: Offset, _ upkeep: TopicUpkeep?) async {
        guard store != nil else { return }
        var note = UpkeepNote()
        let reached = window.start ?? youngFrom ?? next
        let waiting = pending.first?.first?.segment.range.lowerBound
        let compactedBelow = [unsettled, waiting].compactMap { $0 }.reduce(reached, min)
        if compactedBelow > start { note.compactedBelow = compactedBelow }
        if let trimmedBefore = upkeep?.trimmedBefore, isDue(upkeep?.noted.trimSeen, trimmedBefore) {
            note.trimSeen = UpkeepNote.TrimSeen(before: trimmedBefore, at: log.time.now())
        }
        guard !note.isEmpty else { return }
        do throws(StoreError) {
            try await log.table.note(note, of: topic)
        } catch {
            log.logger.warning("not noted", metadata: ["topic": "\(topic)", "error": "\(error.message)"])
        }
    }

    /// Whether a trim is to be noted: none is, or the last one was carried out by now.
    private func isDue(_ seen: UpkeepNote.TrimSeen?, _ trimmedBefore: Offset) -> Bool {
        guard let seen else { return true }
        return seen.before < trimmedBefore && seen.at.duration(to: log.time.now()) >= settings.trimmedAge
    }

    private func calling<Value: Sendable>(
        _ call: () async throws(StoreError) -> Value
    ) async throws(StreamsError) -> Value {
        try await log.reading(call)
    }
}
