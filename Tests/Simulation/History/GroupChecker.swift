/// Holds what the consumers of a group saw against what they are promised.
struct GroupChecker {
    private let history: History
    private let events: [History.GroupEvent]
    private var violations: [Violation] = []

    static func violations(in history: History) -> [Violation] {
        guard !history.groupEvents.isEmpty else { return [] }
        var checker = GroupChecker(history)
        checker.checkGenerations()
        checker.checkStaleness()
        checker.checkCommitted()
        checker.checkDeliveries()
        return checker.violations
    }

    private init(_ history: History) {
        self.history = history
        events = history.groupEvents
    }

    private mutating func report(_ text: String) {
        guard violations.count < 10 else { return }
        violations.append(Violation(.grouped, text))
    }

    /// A generation is one consumer's, which gets what it gets without a gap, and nothing twice.
    private mutating func checkGenerations() {
        var consumers: [Int64: String] = [:]
        var ends: [Int64: Int64] = [:]
        for event in events {
            guard case .received(let from, let next) = event.kind else { continue }
            if let other = consumers.updateValue(event.consumer, forKey: event.generation), other != event.consumer {
                report("\(event.consumer) and \(other) both have generation \(event.generation)")
            }
            if let end = ends.updateValue(next, forKey: event.generation), end != from {
                report("\(event.consumer) went on at \(from) after \(end) in generation \(event.generation)")
            }
        }
    }

    /// Nothing is committed under a generation once there is another one, or it was given up.
    private mutating func checkStaleness() {
        for commit in events {
            guard case .committed(let offset) = commit.kind else { continue }
            for event in events where event.end < commit.begin {
                let endsIt =
                    switch event.kind {
                    case .received, .sought: event.generation > commit.generation
                    case .released: event.generation == commit.generation
                    case .committed, .soughtPerhaps: false
                    }
                guard endsIt else { continue }
                report(
                    "\(commit.consumer) committed \(offset) in generation \(commit.generation) after \(event.consumer) "
                        + "had ended it in \(event.generation)")
            }
        }
    }

    /// What is committed never goes back, but by a seek.
    private mutating func checkCommitted() {
        var told: [(event: History.GroupEvent, committed: Int64)] = []
        var begun: Set<Int64> = []
        for event in events {
            switch event.kind {
            case .received(let from, _):
                // What a generation begins with is what was committed.
                if begun.insert(event.generation).inserted { told.append((event, from)) }
            case .committed(let offset), .sought(let offset): told.append((event, offset))
            case .released, .soughtPerhaps: break
            }
        }
        for later in told {
            for earlier in told where earlier.event.end < later.event.begin && earlier.committed > later.committed {
                guard !isSeek(between: earlier.event, and: later.event) else { continue }
                report(
                    "\(later.event.consumer) was told that \(later.committed) is committed, after "
                        + "\(earlier.event.consumer) had committed \(earlier.committed)")
            }
        }
    }

    private func isSeek(between earlier: History.GroupEvent, and later: History.GroupEvent) -> Bool {
        events.contains { event in
            switch event.kind {
            case .sought: event.begin < later.end && event.end > earlier.begin
            case .soughtPerhaps: event.begin < later.end
            case .received, .committed, .released: false
            }
        }
    }

    /// Every acknowledged message was handed to somebody, where nobody jumped over any, and unless it was trimmed or
    /// deleted before.
    private mutating func checkDeliveries() {
        guard !history.groupMayJump, history.groupIsFinished else { return }
        let consumers = Set(events.map(\.consumer))
        var delivered: Set<Int64> = []
        for read in history.reads where consumers.contains(read.client) {
            delivered.formUnion(read.messages.map(\.offset))
        }
        for append in history.appends {
            guard case .acknowledged(let range) = append.outcome else { continue }
            for offset in range where !delivered.contains(offset) && !history.mayBeCut(offset, begunAt: append.begin) {
                report("the message at \(offset) was never handed to a consumer")
            }
        }
    }
}
