import StreamsCore
import StreamsModel
import Synchronization

/// The clocks of one process: virtual time, and a wall clock that may be wrong.
final class ProcessClock: TimeSource {
    /// When every world begins: a morning.
    static let epoch: Int64 = 1_700_035_200_000

    private let scheduler: Scheduler
    /// By how many milliseconds the wall clock is ahead.
    private let offset: Mutex<Int64>
    private let sleeps = OpenWaits<Void>()

    /// Makes a clock that is ahead by so many milliseconds.
    init(_ scheduler: Scheduler, offset: Int64) {
        self.scheduler = scheduler
        self.offset = Mutex(offset)
    }

    /// The right time.
    static func trueTime(_ scheduler: Scheduler) -> Timestamp {
        Timestamp(milliseconds: epoch + scheduler.now / 1000)
    }

    func now() -> Timestamp {
        Timestamp(milliseconds: Self.epoch + scheduler.now / 1000 + offset.withLock { $0 })
    }

    func uptime() -> Duration { .microseconds(scheduler.now) }

    /// Waits in virtual time.
    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        let hasSlept = await sleeps.value(whenCancelled: ()) { sleep in
            scheduler.after(duration.wholeMicroseconds) { sleep.resolve(()) }
        }
        if hasSlept == nil {
            // What is dead still gives way to others, or a loop of its would never end.
            await scheduler.giveWay()
        }
        if sleeps.isEnded { throw CancellationError() }
        try Task.checkCancellation()
    }

    /// Sets the wall clock, to be ahead by so many milliseconds.
    func set(offset: Int64) {
        self.offset.withLock { $0 = offset }
    }

    /// Wakes everybody who sleeps, and lets nobody sleep any more: the process is dead.
    func stop() { sleeps.end(with: ()) }
}

extension Duration {
    /// The duration in microseconds, rounded towards zero.
    var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
