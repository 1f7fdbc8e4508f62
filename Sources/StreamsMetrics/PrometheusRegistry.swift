package import CoreMetrics
import Synchronization

/// A backend of swift-metrics that keeps values in memory and writes them in the Prometheus text format.
///
/// The format's version is 0.0.4. Timers become histograms in seconds.
package final class PrometheusRegistry: MetricsFactory {
    private struct Series: Hashable {
        var name: String
        var labels: String
    }

    private struct Observed {
        var name: String
        var kind: String
        /// By labels as they are written, empty where there are none.
        var values: @Sendable () -> [(labels: String, value: Double)]
    }

    private struct State {
        var values: [Series: PrometheusValue] = [:]
        var histograms: [Series: PrometheusHistogram] = [:]
        var observed: [Observed] = []
    }

    private let state = Mutex(State())

    /// Makes an empty registry.
    package init() {}

    /// Adds a metric whose value is asked for when it is written; `kind` is `counter` or `gauge`.
    package func observe(_ name: String, kind: String, _ value: @escaping @Sendable () -> Double) {
        observe(name, kind: kind, series: { [([], value())] })
    }

    /// Adds a metric with a series for each of several sets of dimensions, which are asked for when it is written.
    package func observe(
        _ name: String, kind: String,
        series values: @escaping @Sendable () -> [(dimensions: [(String, String)], value: Double)]
    ) {
        let observed = Observed(name: name, kind: kind) {
            values().map { (Self.labels($0.dimensions), $0.value) }
        }
        state.withLock { $0.observed.append(observed) }
    }

    /// All metrics as text, in order of name.
    package var text: String {
        let (values, histograms, observed) = state.withLock { ($0.values, $0.histograms, $0.observed) }
        var lines: [String: [String]] = [:]
        for (series, value) in values {
            lines["\(series.name) \(value.kind)", default: []].append(
                "\(series.name)\(Self.braces(series.labels)) \(Self.number(value.current))")
        }
        for (series, histogram) in histograms {
            lines["\(series.name) histogram", default: []].append(
                contentsOf: histogram.lines(name: series.name, labels: series.labels))
        }
        for metric in observed {
            for (labels, value) in metric.values() {
                lines["\(metric.name) \(metric.kind)", default: []].append(
                    "\(metric.name)\(Self.braces(labels)) \(Self.number(value))")
            }
        }
        return lines.keys.sorted().map { head in
            let samples = lines[head] ?? []
            // A histogram's buckets keep their order; series are sorted as wholes.
            return (["# TYPE \(head)"] + (head.hasSuffix("histogram") ? samples : samples.sorted()))
                .joined(separator: "\n") + "\n"
        }.joined()
    }

    static func braces(_ labels: String) -> String {
        labels.isEmpty ? "" : "{\(labels)}"
    }

    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func series(_ label: String, _ dimensions: [(String, String)]) -> Series {
        Series(name: label, labels: labels(dimensions))
    }

    private static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { name, value in
            let escaped = value.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
                .split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
                .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
            return "\(name)=\"\(escaped)\""
        }.joined(separator: ",")
    }

    private func value(_ label: String, _ dimensions: [(String, String)], kind: String) -> PrometheusValue {
        let series = Self.series(label, dimensions)
        return state.withLock { state in
            if let value = state.values[series] { return value }
            let value = PrometheusValue(kind: kind)
            state.values[series] = value
            return value
        }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> PrometheusHistogram {
        let series = Self.series(label, dimensions)
        return state.withLock { state in
            if let histogram = state.histograms[series] { return histogram }
            let histogram = PrometheusHistogram()
            state.histograms[series] = histogram
            return histogram
        }
    }

    // MARK: MetricsFactory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        value(label, dimensions, kind: "counter")
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        value(label, dimensions, kind: "gauge")
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        value(label, dimensions, kind: "gauge")
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions)
    }

    // Handlers are shared and few; they stay.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

/// One number: a counter or a gauge.
final class PrometheusValue: CounterHandler, MeterHandler, RecorderHandler {
    let kind: String
    private let value = Mutex(0.0)

    init(kind: String) {
        self.kind = kind
    }

    var current: Double { value.withLock { $0 } }

    func increment(by amount: Int64) { value.withLock { $0 += Double(amount) } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func reset() { value.withLock { $0 = 0 } }
    func set(_ value: Int64) { self.value.withLock { $0 = Double(value) } }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

/// Durations in buckets from 0.1 ms to 10 s.
final class PrometheusHistogram: TimerHandler {
    private static let bounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 10,
    ]

    private struct State {
        var buckets = [Int](repeating: 0, count: PrometheusHistogram.bounds.count)
        var count = 0
        var sumNanoseconds: Int64 = 0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) {
        let seconds = Double(duration) / 1e9
        state.withLock { state in
            if let bucket = Self.bounds.firstIndex(where: { seconds <= $0 }) { state.buckets[bucket] += 1 }
            state.count += 1
            state.sumNanoseconds += duration
        }
    }

    func lines(name: String, labels: String) -> [String] {
        let state = state.withLock { $0 }
        let prefix = labels.isEmpty ? "" : labels + ","
        var total = 0
        var lines: [String] = []
        for (bound, count) in zip(Self.bounds, state.buckets) {
            total += count
            lines.append("\(name)_bucket{\(prefix)le=\"\(PrometheusRegistry.number(bound))\"} \(total)")
        }
        lines.append("\(name)_bucket{\(prefix)le=\"+Inf\"} \(state.count)")
        lines.append("\(name)_sum\(PrometheusRegistry.braces(labels)) \(Double(state.sumNanoseconds) / 1e9)")
        lines.append("\(name)_count\(PrometheusRegistry.braces(labels)) \(state.count)")
        return lines
    }
}
