package import StreamsModel

/// Time, handed in, so that a simulation can own it.
package protocol TimeSource: Sendable {
    /// The wall clock: what messages are stamped with. May jump.
    func now() -> Timestamp

    /// Time since some fixed moment, never going back: what deadlines and waits are measured with.
    func uptime() -> Duration

    /// Waits.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first.
    func sleep(for duration: Duration) async throws
}

/// The machine's own clocks.
package struct SystemTime: TimeSource {
    private let start = ContinuousClock.now  // tidy: allow the one place where clocks come from

    /// Makes a source; ``uptime()`` counts from here.
    package init() {}

    package func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    package func uptime() -> Duration {
        start.duration(to: .now)
    }

    package func sleep(for duration: Duration) async throws {
        try await Task.sleep(for: duration)  // tidy: allow the one place where clocks come from
    }
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif
