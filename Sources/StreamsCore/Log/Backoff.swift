/// Pauses between tries: doubled each time up to a bound, none past the deadline.
struct Backoff {
    private var next: Duration
    private let maximum: Duration

    init(_ configuration: LogConfiguration) {
        next = configuration.retryPause
        maximum = configuration.retryPauseMaximum
    }

    /// Waits; returns whether there is time for another try.
    mutating func pause(_ time: any TimeSource, until deadline: Duration) async -> Bool {
        guard time.uptime() + next < deadline else { return false }
        do {
            try await time.sleep(for: next)
        } catch {
            return false
        }
        next = min(next * 2, maximum)
        return true
    }
}
