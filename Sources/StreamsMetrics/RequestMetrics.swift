package import CoreMetrics
import Synchronization

/// Counts and times requests, by route and status.
package final class RequestMetrics: Sendable {
    private struct Key: Hashable {
        var route: String
        var status: Int
    }

    private let factory: any MetricsFactory
    private let counters = Mutex<[Key: Counter]>([:])
    private let timers = Mutex<[String: Timer]>([:])

    /// Makes the metrics in `factory`.
    package init(factory: any MetricsFactory) {
        self.factory = factory
    }

    /// Counts an answer of `route`, and how long it took.
    package func record(route: String, status: Int, duration: Duration) {
        let key = Key(route: route, status: status)
        let counter = counters.withLock { counters in
            if let counter = counters[key] { return counter }
            let counter = Counter(
                label: "streams_http_requests_total",
                dimensions: [("route", key.route), ("status", String(key.status))], factory: factory)
            counters[key] = counter
            return counter
        }
        counter.increment()
        let timer = timers.withLock { timers in
            if let timer = timers[key.route] { return timer }
            let timer = Timer(
                label: "streams_http_request_duration_seconds", dimensions: [("route", key.route)], factory: factory)
            timers[key.route] = timer
            return timer
        }
        let (seconds, attoseconds) = duration.components
        timer.recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
