package import StreamsCore

extension PrometheusRegistry {
    /// Adds what a log counts.
    package func observe(_ counters: LogCounters) {
        observe("streams_append_requests_total", kind: "counter") { Double(counters.snapshot.appendRequests) }
        observe("streams_messages_appended_total", kind: "counter") { Double(counters.snapshot.messages) }
        observe("streams_segments_written_total", kind: "counter") { Double(counters.snapshot.segments) }
        observe("streams_claims_taken_anew_total", kind: "counter") { Double(counters.snapshot.reclaims) }
        observe("streams_fillers_written_total", kind: "counter") { Double(counters.snapshot.fillers) }
    }
}
