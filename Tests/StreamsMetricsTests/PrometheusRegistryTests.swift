import CoreMetrics
import StreamsMetrics
import Testing

@Suite("The Prometheus registry")
struct PrometheusRegistryTests {
    @Test("writes counters, gauges and observed values in the order of their names, with types")
    func writesValues() {
        let registry = PrometheusRegistry()
        #expect(registry.text == "")
        Counter(label: "b_total", dimensions: [("route", "/b"), ("status", "200")], factory: registry).increment(by: 3)
        Counter(label: "b_total", dimensions: [("route", "/a"), ("status", "200")], factory: registry).increment()
        Counter(label: "b_total", dimensions: [("route", "/b"), ("status", "200")], factory: registry).increment()
        Gauge(label: "a", factory: registry).record(1.5)
        Meter(label: "d", factory: registry).set(-2)
        registry.observe("c_total", kind: "counter") { 1e6 }
        registry.observe("e", kind: "gauge") { 1e20 }
        #expect(
            registry.text == """
                # TYPE a gauge
                a 1.5
                # TYPE b_total counter
                b_total{route="/a",status="200"} 1
                b_total{route="/b",status="200"} 4
                # TYPE c_total counter
                c_total 1000000
                # TYPE d gauge
                d -2
                # TYPE e gauge
                e 1e+20

                """)
    }

    @Test("escapes what labels hold")
    func escapesLabels() {
        let registry = PrometheusRegistry()
        Counter(label: "a", dimensions: [("x", "\"\\\n\\n")], factory: registry).increment()
        #expect(registry.text == "# TYPE a counter\na{x=\"\\\"\\\\\\n\\\\n\"} 1\n")
    }

    @Test("writes timers as histograms in seconds, whose buckets count all below")
    func writesHistograms() {
        let registry = PrometheusRegistry()
        let timer = Timer(label: "t", dimensions: [("route", "/")], factory: registry)
        for nanoseconds in [0, 100_000, 100_001, 3_000_000, 2_000_000_000, 60_000_000_000] as [Int64] {
            timer.recordNanoseconds(nanoseconds)
        }
        #expect(
            registry.text == """
                # TYPE t histogram
                t_bucket{route="/",le="0.0001"} 2
                t_bucket{route="/",le="0.00025"} 3
                t_bucket{route="/",le="0.0005"} 3
                t_bucket{route="/",le="0.001"} 3
                t_bucket{route="/",le="0.0025"} 3
                t_bucket{route="/",le="0.005"} 4
                t_bucket{route="/",le="0.01"} 4
                t_bucket{route="/",le="0.025"} 4
                t_bucket{route="/",le="0.05"} 4
                t_bucket{route="/",le="0.1"} 4
                t_bucket{route="/",le="0.25"} 4
                t_bucket{route="/",le="0.5"} 4
                t_bucket{route="/",le="1"} 4
                t_bucket{route="/",le="10"} 5
                t_bucket{route="/",le="+Inf"} 6
                t_sum{route="/"} 62.003200001
                t_count{route="/"} 6

                """)
    }
}
