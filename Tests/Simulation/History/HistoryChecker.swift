import StreamsCore

/// Holds a history against the promises, in time that grows with it as sorting does.
///
/// A log is easy to check: offsets are the order, so there is nothing to search for (P. Gibbons and E. Korach, "Testing
/// shared memories", SIAM J. Comput. 1997, on why the general problem is hard and known orders make it easy).
package struct HistoryChecker {
    let history: History
    /// The appends, all attempts with one idempotency key taken for one.
    let appends: [History.Append]
    private var violations: [Violation] = []
    /// What stands where, as anybody saw it.
    var messageAt: [Int64: Int] = [:]
    var offsetOf: [Int: Int64] = [:]
    /// The offsets of all messages that anybody saw, in order.
    private var offsets: [Int64] = []
    var acknowledgedOffsets: Set<Int64> = []

    /// Makes a checker of a whole history, in which readers have read to the end at last.
    package init(_ history: History) {
        self.history = history
        appends = Self.joined(history.appends)
    }

    /// What is wrong; a few of each kind.
    package static func violations(in history: History) -> [Violation] {
        var checker = HistoryChecker(history)
        checker.check()
        return checker.violations
    }

    private mutating func check() {
        for surprise in history.surprises { violations.append(Violation(.truthful, surprise.text)) }
        collectMessages()
        checkReads()
        checkTimeSeeks()
        checkAppends()
        checkOrder()
        checkEnds()
        checkRefusals()
        checkCuts()
        checkGoneKeys()
        checkConditions()
        checkFences()
        if history.expectsWakeUps { checkWakeUps() }
        violations += GroupChecker.violations(in: history)
    }

    mutating func report(_ promise: Violation.Promise, _ text: String) {
        guard violations.count < 20 else { return }
        violations.append(Violation(promise, text))
    }

    // MARK: What stands where

    private mutating func collectMessages() {
        for append in history.appends {
            guard case .acknowledged(let range) = append.outcome else { continue }
            guard range.count == append.messages.count else {
                report(.truthful, "\(append.messages.count) messages were acknowledged at \(range)")
                continue
            }
            acknowledgedOffsets.formUnion(range)
            for (offset, number) in zip(range, append.messages) { note(number, at: offset, by: append.client) }
        }
        for read in history.reads {
            for message in read.messages { note(message.number, at: message.offset, by: read.client) }
        }
        offsets = messageAt.keys.sorted()
    }

    private mutating func note(_ number: Int, at offset: Int64, by client: String) {
        if let standing = messageAt.updateValue(number, forKey: offset), standing != number {
            report(.agreed, "\(client) has message \(number) at offset \(offset), where message \(standing) was seen")
        }
        if let known = offsetOf.updateValue(offset, forKey: number), known != offset {
            report(.once, "message \(number) is there twice, at offsets \(known) and \(offset)")
        }
    }

    // MARK: Reads

    /// A reader that passes offsets gets every message that anybody ever saw there: before, or later.
    private mutating func checkReads() {
        for read in history.reads {
            guard read.next >= read.from, read.messages.allSatisfy({ (read.from..<read.next).contains($0.offset) })
            else {
                report(.agreed, "\(read.client) read from \(read.from) to \(read.next), and got \(read.messages)")
                continue
            }
            let isRising = zip(read.messages, read.messages.dropFirst()).allSatisfy { $0.offset < $1.offset }
            if !isRising { report(.agreed, "\(read.client) got messages out of order: \(read.messages)") }
            let passed = place(of: read.from)..<place(of: read.next)
            guard passed.count != read.messages.count else { continue }
            let got = Set(read.messages.map(\.offset))
            for offset in offsets[passed] where !got.contains(offset) && !history.forgotten.contains(offset) {
                let isAcknowledged = acknowledgedOffsets.contains(offset)
                report(
                    isAcknowledged ? .durable : .agreed,
                    "\(read.client) passed offset \(offset) on its way from \(read.from) to \(read.next) and did not "
                        + "get message \(messageAt[offset] ?? 0), which is \(isAcknowledged ? "acknowledged" : "seen by others") there"
                )
            }
        }
    }

    /// Who asks for a time gets the first message of that time or later, where timestamps rise as offsets do.
    private mutating func checkTimeSeeks() {
        let seeks = history.reads.filter { $0.since != nil }
        guard !seeks.isEmpty, history.retention == nil else { return }
        var timeOf: [Int64: Int64] = [:]
        for message in history.reads.lazy.flatMap(\.messages) { timeOf[message.offset] = message.timestamp }
        let times = timeOf.sorted { $0.key < $1.key }
        guard zip(times, times.dropFirst()).allSatisfy({ $0.value <= $1.value }) else { return }
        for seek in seeks {
            guard let since = seek.since else { continue }
            // A search begins below a write that is under way, which may then be there to be read.
            if let first = seek.messages.first, let time = first.timestamp, time < since,
                appends.contains(where: { $0.end < seek.begin && $0.messages.contains(first.number) })
            {
                report(.truthful, "\(seek.client) asked for \(since), and got message \(first.number) of \(time)")
            }
            for append in appends where append.end < seek.begin {
                guard case .acknowledged(let range) = append.outcome, let time = timeOf[range.lowerBound],
                    time >= since, range.lowerBound < seek.from,
                    !history.mayBeCut(range.lowerBound, begunAt: append.begin, by: seek.end)
                else { continue }
                report(
                    .durable,
                    "\(seek.client) asked for \(since) and began at \(seek.from), past offset \(range.lowerBound) of "
                        + "\(time)")
            }
        }
    }

    /// How many known offsets lie below `offset`.
    private func place(of offset: Int64) -> Int { offsets.firstIndex(past: { $0 < offset }) }

    // MARK: Appends

    private mutating func checkAppends() {
        for append in appends {
            let found = append.messages.map { offsetOf[$0] }
            let isThere = found.contains { $0 != nil }
            if append.outcome == .refused, isThere {
                report(
                    .truthful,
                    "\(append.client) was told that \(append.messages) were not written: they are at \(found)")
            }
            guard isThere, let first = found[0] else {
                if isThere, !isCutInPart(found) {
                    report(.whole, "of \(append.messages) only a part is there: \(found)")
                }
                continue
            }
            for (index, offset) in found.enumerated() where offset != first + Int64(index) {
                // What lies below what is kept may be gone before anybody read it.
                if offset == nil, history.forgotten.contains(first + Int64(index)) || isPastReading(append) { continue }
                if offset == nil, mayBeCut(first + Int64(index)) { continue }
                report(.whole, "\(append.messages) are not together: \(found)")
                break
            }
        }
    }

    /// Whether messages of an append may have expired before the last reader came by.
    private func isPastReading(_ append: History.Append) -> Bool {
        guard let retention = history.retention, let last = history.reads.last else { return false }
        return append.begin + retention < last.end
    }

    /// What was acknowledged before something else began lies below it.
    private mutating func checkOrder() {
        let acknowledged = appends.compactMap { append -> (append: History.Append, range: Range<Int64>)? in
            guard case .acknowledged(let range) = append.outcome, !range.isEmpty else { return nil }
            return (append, range)
        }
        let byEnd = acknowledged.sorted { $0.append.end < $1.append.end }
        var next = 0
        var highest: (last: Int64, client: String) = (0, "")
        for (append, range) in acknowledged.sorted(by: { $0.append.begin < $1.append.begin }) {
            while next < byEnd.count, byEnd[next].append.end < append.begin {
                let last = byEnd[next].range.upperBound - 1
                if last > highest.last { highest = (last, byEnd[next].append.client) }
                next += 1
            }
            guard range.lowerBound <= highest.last else { continue }
            report(
                .ordered,
                "\(append.client) got offset \(range.lowerBound), though \(highest.client) had been acknowledged at "
                    + "\(highest.last) before that append began")
        }
    }

    /// A read tells an end above everything that was acknowledged before it began.
    private mutating func checkEnds() {
        guard !history.wasItemLost else { return }
        var highest: Int64 = 0
        let ends = acknowledgedEnds
        var next = 0
        let tellings =
            history.reads.map { (client: $0.client, begin: $0.begin, from: $0.from, topicEnd: $0.topicEnd) }
            + history.refusals.compactMap { refusal in
                refusal.topicEnd.map {
                    (client: refusal.client, begin: refusal.begin, from: refusal.from, topicEnd: $0)
                }
            }
        for telling in tellings.sorted(by: { $0.begin < $1.begin }) {
            while next < ends.count, ends[next].time < telling.begin {
                highest = max(highest, ends[next].offset)
                next += 1
            }
            guard telling.topicEnd < highest else { continue }
            report(
                .durable,
                "\(telling.client) was told that the topic ends at \(telling.topicEnd), after offset \(highest - 1) had "
                    + "been acknowledged")
        }
    }

    private var acknowledgedEnds: [(time: Int64, offset: Int64)] {
        appends.compactMap { append -> (time: Int64, offset: Int64)? in
            guard case .acknowledged(let range) = append.outcome else { return nil }
            return (append.end, range.upperBound)
        }.sorted { $0.time < $1.time }
    }

    // MARK: Waits

    /// Who waits for a message does not sleep on for long when it is there.
    private mutating func checkWakeUps() {
        var acknowledgedAt: [Int64: Int64] = [:]
        for append in appends {
            guard case .acknowledged(let range) = append.outcome else { continue }
            for offset in range { acknowledgedAt[offset] = append.end }
        }
        for read in history.reads where read.wait > Self.wakeUpTime {
            guard let time = acknowledgedAt[read.from], max(time, read.begin) + Self.wakeUpTime < read.end else {
                continue
            }
            report(
                .live,
                "\(read.client) waited until \(read.end) for offset \(read.from), which had been acknowledged at \(time)"
            )
        }
    }

    /// How long a look may take, retries and all, in microseconds.
    private static let wakeUpTime: Int64 = 45_000_000

    // MARK: Refusals

    /// What is said to be trimmed is older than the retention; what is said not to be there is not.
    private mutating func checkRefusals() {
        var newestBelow: [Int64] = []
        var beginOf: [Int64: Int64] = [:]
        for append in appends {
            guard case .acknowledged(let range) = append.outcome else { continue }
            for offset in range { beginOf[offset] = append.begin }
        }
        for offset in offsets { newestBelow.append(max(newestBelow.last ?? .min, beginOf[offset] ?? .min)) }
        for refusal in history.refusals {
            guard let earliest = refusal.earliest else { continue }
            if earliest <= refusal.from {
                report(.truthful, "\(refusal.client) asked for \(refusal.from), and was told to begin at \(earliest)")
            }
            if earliest <= history.trimmedBefore { continue }
            guard history.cuts.isEmpty else {
                checkCut(below: earliest, refusal)
                continue
            }
            let below = place(of: earliest)
            guard below > 0, newestBelow[below - 1] > .min else { continue }
            // Known and not mended, see docs/correctness.md: after a lost item offsets below may be given out later.
            if history.wasItemLost, newestBelow[below - 1] > refusal.end { continue }
            if let retention = history.retention, newestBelow[below - 1] + retention < refusal.end { continue }
            report(
                .kept,
                "\(refusal.client) was told that everything below \(earliest) is gone, and a message there was "
                    + "acknowledged \((refusal.end - newestBelow[below - 1]) / 1_000_000) s before")
        }
    }
}
