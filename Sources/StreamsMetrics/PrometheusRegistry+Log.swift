package import StreamsCore

extension PrometheusRegistry {
    /// Adds what a log counts.
    package func observe(_ counters: LogCounters) {
        observe("streams_append_requests_total", kind: "counter") { Double(counters.snapshot.appendRequests) }
        observe("streams_messages_appended_total", kind: "counter") { Double(counters.snapshot.messages) }
        observe("streams_segments_written_total", kind: "counter") { Double(counters.snapshot.segments) }
        observe("streams_claims_taken_anew_total", kind: "counter") { Double(counters.snapshot.reclaims) }
        observe("streams_fillers_written_total", kind: "counter") { Double(counters.snapshot.fillers) }
        observe("streams_idempotent_replays_total", kind: "counter") { Double(counters.snapshot.replays) }
        observe("streams_offset_mismatches_total", kind: "counter") { Double(counters.snapshot.mismatches) }
        observe("streams_fenced_appends_total", kind: "counter") { Double(counters.snapshot.fenced) }
        observe("streams_topics_closed_total", kind: "counter") { Double(counters.snapshot.closures) }
        observe("streams_topics_reopened_total", kind: "counter") { Double(counters.snapshot.reopenings) }
    }

    /// Adds what consumer groups count.
    package func observe(_ counters: GroupCounters) {
        observe("streams_group_receives_total", kind: "counter") { Double(counters.snapshot.receives) }
        observe("streams_group_acks_total", kind: "counter") { Double(counters.snapshot.acks) }
        observe("streams_group_leases_taken_total", kind: "counter") { Double(counters.snapshot.leasesTaken) }
        observe("streams_group_leases_lost_total", kind: "counter") { Double(counters.snapshot.leasesLost) }
    }

    /// Adds counts of calls by service and operation, which come as `service.operation`.
    package func observeCalls(_ name: String, _ counts: @escaping @Sendable () -> [String: Int]) {
        observe(
            name, kind: "counter",
            series: {
                counts().map { call, count in
                    let parts = call.split(separator: ".", maxSplits: 1)
                    let dimensions = zip(["service", "operation"], parts).map { ($0, String($1)) }
                    return (dimensions, Double(count))
                }
            })
    }
}
