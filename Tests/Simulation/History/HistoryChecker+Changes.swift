import StreamsCore

/// Trims, deletes, branches.
extension HistoryChecker {
    /// What was trimmed or deleted is not read any more.
    mutating func checkCuts() {
        guard !history.cuts.isEmpty else { return }
        var endOf: [Int64: Int64] = [:]
        for append in history.appends {
            guard case .acknowledged(let range) = append.outcome else { continue }
            for offset in range { endOf[offset] = append.end }
        }
        for cut in history.cuts where cut.end < .max {
            for read in history.reads where read.begin > cut.end {
                if !cut.isDelete, read.from < cut.before {
                    report(
                        .truthful,
                        "\(read.client) read from \(read.from) after \(cut.before) had become the earliest offset")
                }
                guard cut.isDelete else { continue }
                for message in read.messages where message.offset < cut.before {
                    guard let end = endOf[message.offset], end < cut.begin else { continue }
                    report(.truthful, "\(read.client) got message \(message.number) of a topic that had been deleted")
                }
            }
        }
    }

    /// What a reader is told to be gone was trimmed or deleted, or may have been.
    mutating func checkCut(below earliest: Int64, _ refusal: History.Refusal) {
        for append in history.appends {
            guard case .acknowledged(let range) = append.outcome else { continue }
            for offset in range where offset < earliest {
                guard !history.mayBeCut(offset, begunAt: append.begin, by: refusal.end) else { continue }
                report(
                    .kept,
                    "\(refusal.client) was told that everything below \(earliest) is gone, and nobody had trimmed or deleted "
                        + "offset \(offset)")
                break
            }
        }
    }

    /// Whether an offset may be gone before anybody read it.
    func mayBeCut(_ offset: Int64) -> Bool { history.cuts.contains { offset < $0.before } }

    /// Whether the messages of an append of which nobody saw the first ones may have lost them to a trim.
    func isCutInPart(_ found: [Int64?]) -> Bool {
        guard let index = found.firstIndex(where: { $0 != nil }), let offset = found[index] else { return false }
        return (1...Int64(max(index, 1))).allSatisfy { mayBeCut(offset - $0) }
    }
}

extension History {
    private static let clockDifference: Int64 = 20_000_000

    /// Whether the message at an offset, whose append began at a time, may have been trimmed or deleted by another.
    func mayBeCut(_ offset: Int64, begunAt begin: Int64, by time: Int64 = .max) -> Bool {
        cuts.contains { cut in
            guard cut.begin <= time, offset < cut.before, !cut.isDelete || begin < cut.end else { return false }
            guard let age = cut.age else { return true }
            // Clocks may differ by the twenty seconds that nobody corrects.
            return time > begin && (time == .max || time - begin > age - 2 * Self.clockDifference)
        }
    }

    /// The history of a branch with what it has of its parent's: everything below the fork.
    ///
    /// `parent` is the parent's own history, in the same way.
    package func joined(below parent: History) -> History {
        guard let fork = branch?.fork else { return self }
        var joined = self
        // Of attempts with one key the first says when the append began, acknowledged or not.
        for append in HistoryChecker.joined(parent.appends) {
            guard case .acknowledged(let range) = append.outcome, range.lowerBound < fork else { continue }
            var below = append
            below.isToldGone = false
            let end = min(range.upperBound, fork)
            below.messages = Array(append.messages.prefix(Int(end - range.lowerBound)))
            below.outcome = .acknowledged(range.lowerBound..<end)
            joined.appends.append(below)
        }
        for read in parent.reads where read.from < fork {
            var below = read
            below.messages.removeAll { $0.offset >= fork }
            below.next = min(read.next, fork)
            below.topicEnd = .max
            below.wait = 0
            // What is cut off the branch alone, a reader of the parent still gets.
            below.begin = .min
            joined.reads.append(below)
        }
        for cut in parent.cuts {
            var below = cut
            below.before = min(cut.before, fork)
            joined.cuts.append(below)
        }
        return joined
    }
}
