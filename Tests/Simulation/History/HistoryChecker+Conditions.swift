/// What is promised of idempotency keys, expected offsets and fencing tokens.
extension HistoryChecker {
    /// The appends as if there were no retries: all attempts with one key are one append, which began with the first
    /// of them and was acknowledged when the first acknowledgement came.
    ///
    /// That the acknowledgements agree, and that the messages are there once, shows where all attempts are looked at.
    static func joined(_ appends: [History.Append]) -> [History.Append] {
        var places: [String: Int] = [:]
        var joined: [History.Append] = []
        for append in appends {
            guard let key = append.wish.key, let place = places[key] else {
                if let key = append.wish.key { places[key] = joined.count }
                joined.append(append)
                continue
            }
            joined[place].begin = min(joined[place].begin, append.begin)
            if case .acknowledged = joined[place].outcome { continue }
            // In order of their ends: the first acknowledgement counts; else one that may have written outweighs a
            // refusal.
            if append.outcome == .refused { continue }
            joined[place].outcome = append.outcome
            joined[place].end = append.end
        }
        return joined
    }

    /// What is said to be gone may be gone: it has expired, or was trimmed or deleted.
    mutating func checkGoneKeys() {
        guard history.retention == nil else { return }
        for append in history.appends where append.isToldGone {
            let offset = append.messages.first.flatMap { offsetOf[$0] } ?? 1
            let begin = appends.first { $0.wish.key == append.wish.key }?.begin ?? append.begin
            guard !history.mayBeCut(offset, begunAt: begin, by: append.end) else { continue }
            report(
                .truthful,
                "\(append.client) was told that \(append.messages) are gone, and nobody had trimmed or deleted them")
        }
    }

    /// Who expected an offset has got that one.
    mutating func checkConditions() {
        for append in history.appends {
            guard let expected = append.wish.expected, let found = append.messages.first.flatMap({ offsetOf[$0] }),
                found != expected
            else { continue }
            report(
                .conditional,
                "\(append.client) appended \(append.messages) for offset \(expected): they are at \(found)")
        }
    }

    /// After a token was set, none of those before it succeeds any more, and what they wrote lies below the end that
    /// was told with it.
    mutating func checkFences() {
        for fence in history.fences {
            guard let end = fence.topicEnd else { continue }
            for append in history.appends where isOlder(append.wish.token, than: fence) {
                // A topic that is made again has no token.
                if isDeleted(after: fence, before: append) { continue }
                if case .acknowledged = append.outcome, append.begin > fence.end, append.wish.key == nil {
                    report(
                        .conditional,
                        "\(append.client) appended \(append.messages) with the token \(append.wish.token ?? "none"), "
                            + "after \(fence.token) had been set")
                }
                guard let last = append.messages.last.flatMap({ offsetOf[$0] }), last >= end else { continue }
                report(
                    .conditional,
                    "\(append.client) appended \(append.messages) with the token \(append.wish.token ?? "none") at \(last), "
                        + "not below \(end), where \(fence.token) was set")
            }
        }
    }

    private func isDeleted(after fence: History.Fence, before append: History.Append) -> Bool {
        history.cuts.contains { $0.isDelete && $0.begin < append.end && $0.end > fence.begin }
    }

    /// Whether whoever set a token had its answer before a fence began: nothing of theirs sets it again.
    private func isOlder(_ token: String?, than fence: History.Fence) -> Bool {
        guard let token else { return true }
        guard token != fence.token, let other = history.fences.first(where: { $0.token == token }) else { return false }
        return other.end < fence.begin
    }
}
