import Synchronization

/// What happened in a world, line by line, for people; kept only where somebody asks for it.
final class Trace: Sendable {
    private let scheduler: Scheduler
    private let isKept: Bool
    private let kept = Mutex<[String]>([])

    init(_ scheduler: Scheduler, isKept: Bool) {
        self.scheduler = scheduler
        self.isKept = isKept
    }

    /// The lines so far.
    var lines: [String] { kept.withLock { $0 } }

    /// Adds a line, with the time; `text` is not asked for where nothing is kept.
    func note(_ text: () -> String) {
        guard isKept else { return }
        let milliseconds = scheduler.now / 1000
        let fraction = String(milliseconds % 1000)
        let time = "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.utf8.count) + fraction
        let line = String(repeating: " ", count: max(0, 11 - time.utf8.count)) + time + "  " + text()
        kept.withLock { $0.append(line) }
    }
}
