import StreamsAPI
import StreamsCore
import StreamsModel

/// A line of the log that CloudWatch reads as metrics.
///
/// CloudWatch User Guide, "Specification: Embedded metric format". The names are those of the dashboard in `infra/`.
struct MetricLine: Equatable {
    static let namespace = "ServerlessStreams"

    /// A count since the line before, under the metric's name.
    struct Count: Equatable {
        var metric: String
        var value: Int
    }

    /// The operation that the counts are of, where they are of one.
    var operation: String?
    var counts: [Count]

    /// The lines that tell of changes; `nil` is the state before the process began.
    static func lines(of now: MeteredFunction.Counts, since before: MeteredFunction.Counts?) -> [MetricLine] {
        let log = now.log
        let old = before?.log
        let counts = [
            Count(metric: "AppendRequests", value: log.appendRequests - (old?.appendRequests ?? 0)),
            Count(metric: "MessagesAppended", value: log.messages - (old?.messages ?? 0)),
            Count(metric: "SegmentsWritten", value: log.segments - (old?.segments ?? 0)),
            Count(metric: "FillersWritten", value: log.fillers - (old?.fillers ?? 0)),
            Count(metric: "ClaimsTakenAnew", value: log.reclaims - (old?.reclaims ?? 0)),
            Count(metric: "TopicsClosed", value: log.closures - (old?.closures ?? 0)),
            Count(metric: "Throttles", value: now.throttles - (before?.throttles ?? 0)),
            Count(metric: "ColdStarts", value: before == nil ? 1 : 0),
        ]
        let ofFunction = MetricLine(operation: nil, counts: counts.filter { $0.value > 0 })
        let ofOperations = now.requests.sorted { $0.key < $1.key }.map { operation, total in
            let value = total - (before?.requests[operation] ?? 0)
            return MetricLine(
                operation: operation, counts: value > 0 ? [Count(metric: "AWSRequests", value: value)] : [])
        }
        return ([ofFunction] + ofOperations).filter { !$0.counts.isEmpty }
    }

    /// The line, without its break.
    func encoded(function: String, at time: Timestamp) -> [UInt8] {
        var directive = JSONObjectWriter()
        directive.member("Namespace", Self.namespace)
        directive.member(
            "Dimensions", json: Array((operation == nil ? #"[["function"]]"# : #"[["function","operation"]]"#).utf8))
        let definitions = counts.map { count in
            var definition = JSONObjectWriter()
            definition.member("Name", count.metric)
            definition.member("Unit", "Count")
            return definition.finish()
        }
        directive.member("Metrics", json: Self.list(definitions))
        var head = JSONObjectWriter()
        head.member("Timestamp", time.milliseconds)
        head.member("CloudWatchMetrics", json: Self.list([directive.finish()]))
        var line = JSONObjectWriter()
        line.member("_aws", json: head.finish())
        line.member("function", function)
        if let operation { line.member("operation", operation) }
        for count in counts { line.member(count.metric, count.value) }
        return line.finish()
    }

    private static func list(_ elements: [[UInt8]]) -> [UInt8] {
        [UInt8(ascii: "[")] + Array(elements.joined(separator: [UInt8(ascii: ",")])) + [UInt8(ascii: "]")]
    }
}
