import Logging
import StreamsAPI
import StreamsCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The maintenance that an event asks for, as a schedule sends it: `{"maintain": true}`.
///
/// It ends before the invocation does. What is left, the next one does: each begins where the last one ended.
struct ScheduledMaintenance: Sendable {
    /// The event has a few bytes, and requests, which may have megabytes, need not be read for it.
    private static let eventBytesMaximum = 1024
    /// The longest that one step takes as a rule: eight merges side by side, each with its deletes one after the other.
    private static let stepDuration = Duration.seconds(5)
    /// Most sentences of a kind in the answer; a store that is away has one for each topic.
    private static let sentencesMaximum = 100

    let log: Log
    let store: (any MergingSegmentStore)?
    let time: any TimeSource
    let logger: Logger

    /// Whether an event asks for maintenance, and for nothing else.
    static func isAskedFor(by event: [UInt8]) -> Bool {
        guard event.count <= eventBytesMaximum else { return false }
        return (try? JSONDecoder().decode([String: Bool].self, from: Data(event))) == ["maintain": true]
    }

    /// Maintains all topics as far as the time reaches, logs one line, and returns the answer's document.
    func run(until deadline: InvocationDeadline) async -> [UInt8] {
        let now = time.uptime()
        let remaining = deadline.forWork - now
        let end = deadline.forWork - min(Self.stepDuration, remaining / 4)
        let (log, store, time) = (log, store, time)
        let report = await withBound(deadline.last - now, time) {
            var report = MaintenanceReport()
            report.unfinished.append(
                "The function's time was up in the middle of a step, and what was done is not counted. The next "
                    + "maintenance goes on from there.")
            return report
        } _: {
            await Deadline.$current.withValue(deadline.forWork) {
                await log.maintain(on: store) { time.uptime() < end }
            }
        }
        record(report)
        return Self.document(report)
    }

    private func record(_ report: MaintenanceReport) {
        var metadata: Logger.Metadata = [
            "topics": "\(report.topics)", "merges": "\(report.merges)", "holesClosed": "\(report.holesClosed)",
            "trimmedBySettings": "\(report.trimmedBySettings)", "trimmedDeleted": "\(report.trimmedDeleted)",
            "segmentsBefore": "\(report.before.segments)", "segmentsAfter": "\(report.after.segments)",
        ]
        if let defect = report.defects.first { metadata["defect"] = "\(defect)" }
        if let unfinished = report.unfinished.first { metadata["unfinished"] = "\(unfinished)" }
        logger.log(
            level: report.isComplete ? .info : .warning, report.isComplete ? "maintained" : "maintained in part",
            metadata: metadata)
    }

    private static func document(_ report: MaintenanceReport) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.member("topics", report.topics)
        writer.member("merges", report.merges)
        writer.member("holes_closed", report.holesClosed)
        writer.member("trimmed_by_settings", report.trimmedBySettings)
        writer.member("trimmed_deleted", report.trimmedDeleted)
        writer.member("segments_before", report.before.segments)
        writer.member("segments_after", report.after.segments)
        writer.member("defects", shortened(report.defects))
        writer.member("unfinished", shortened(report.unfinished))
        return writer.finish()
    }

    private static func shortened(_ sentences: [String]) -> [String] {
        guard sentences.count > sentencesMaximum else { return sentences }
        return sentences.prefix(sentencesMaximum) + ["There are \(sentences.count - sentencesMaximum) more."]
    }
}
