import HTTPTypes
package import LambdaRuntime
package import Logging
package import StreamsCore
package import StreamsHTTP
package import StreamsMetrics
import StreamsModel

/// The API as a Lambda function: an event in, an answer out.
///
/// A schedule's events have it maintain the store.
package struct StreamsFunction: InvocationHandler {
    /// What an answer may hold beside its messages: the head, and the offsets around a page.
    private static let headBytes = 16 * 1024
    private static let escapedPageBytes = InvocationLoop.answerBytesMaximum - headBytes

    private let handler: StreamsHandler
    private let maintenance: ScheduledMaintenance
    private let streamsAnswers: Bool
    private let time: any TimeSource
    private let metrics: RequestMetrics
    private let logger: Logger

    /// Makes a function.
    ///
    /// - Parameters:
    ///   - log: the log; it must use the same `time`.
    ///   - mergingStore: the store that maintenance merges and deletes on; without one it only closes holes.
    ///   - configuration: the API's settings; those that concern how answers travel are set here.
    ///   - streamsAnswers: whether the integration invokes the function for streamed responses.
    ///   - time: measures deadlines.
    ///   - metrics: counts requests.
    ///   - logger: told of each request, at level debug.
    ///   - metricsText: the answer of `/metrics`.
    package init(
        log: Log, mergingStore: (any MergingSegmentStore)?, configuration: StreamsHandler.Configuration,
        streamsAnswers: Bool, time: any TimeSource, metrics: RequestMetrics, logger: Logger,
        metricsText: @escaping @Sendable () -> String
    ) {
        var configuration = configuration
        configuration.endsEventStreams = !streamsAnswers
        configuration.escapedPageBytes = streamsAnswers ? nil : Self.escapedPageBytes
        self.handler = StreamsHandler(log: log, configuration: configuration, metricsText: metricsText)
        self.maintenance = ScheduledMaintenance(log: log, store: mergingStore, time: time, logger: logger)
        self.streamsAnswers = streamsAnswers
        self.time = time
        self.metrics = metrics
        self.logger = logger
    }

    package func handle(_ invocation: Invocation) async throws(InvocationFailure) -> InvocationAnswer {
        let start = time.uptime()
        let deadline = InvocationDeadline(invocation, time)
        if ScheduledMaintenance.isAskedFor(by: invocation.event) {
            return .whole(await maintenance.run(until: deadline))
        }
        let event = try ProxyEvent(invocation.event)
        let response = await respond(to: event.request, deadline)
        let answer = ProxyAnswer(shape: event.shape, status: response.status, headers: response.headers)
        let result =
            streamsAnswers
            ? stream(response, answer, event.request, deadline)
            : InvocationAnswer.whole(answer.document(body: await body(of: response, event.request, deadline)))
        record(response, event.request, duration: time.uptime() - start)
        return result
    }

    package func answerInsteadOfTooLarge(_ invocation: Invocation) -> [UInt8] {
        let shape = (try? ProxyEvent(invocation.event))?.shape ?? .first
        let response = APIResponse.problem(
            StreamsError(
                .internal, "The answer is larger than the 6 MB that Lambda carries; ask for less with 'limit'."))
        guard case .bytes(let bytes) = response.body else { return [] }
        return ProxyAnswer(shape: shape, status: response.status, headers: response.headers).document(body: bytes)
    }

    // MARK: Steps

    private func respond(to request: APIRequest, _ deadline: InvocationDeadline) async -> APIResponse {
        guard request.body.count <= handler.bodyBytesMaximum else { return handler.tooLarge(request) }
        let handler = handler
        return await withBound(deadline.last - time.uptime(), time) {
            handler.refuse(request, .overdue(request.method))
        } _: {
            await Deadline.$current.withValue(deadline.forWork) { await handler.respond(to: request) }
        }
    }

    /// The whole body of an answer that is not streamed.
    private func body(
        of response: APIResponse, _ request: APIRequest, _ deadline: InvocationDeadline
    ) async -> [UInt8] {
        if request.method == .head { return [] }
        switch response.body {
        case .bytes(let bytes): return bytes
        case .stream(let run):
            let buffer = EventBuffer(escapedBytesMaximum: Self.escapedPageBytes)
            await withBound(deadline.last - time.uptime(), time, overdue: {}) {
                // An error ends the stream, where it stands; that it is full is one.
                try? await Deadline.$current.withValue(deadline.forWork) { try await run(buffer) }
            }
            return buffer.bytes
        }
    }

    private func stream(
        _ response: APIResponse, _ answer: ProxyAnswer, _ request: APIRequest, _ deadline: InvocationDeadline
    ) -> InvocationAnswer {
        .stream(prelude: answer.prelude) { stream in
            if request.method == .head { return }
            switch response.body {
            case .bytes(let bytes):
                try await stream.write(bytes)
            case .stream(let run):
                try await Deadline.$current.withValue(deadline.forWork) {
                    try await run(InvocationSink(stream: stream))
                }
            }
        }
    }

    private func record(_ response: APIResponse, _ request: APIRequest, duration: Duration) {
        metrics.record(route: response.routeLabel, status: response.status.code, duration: duration)
        logger.debug(
            "request",
            metadata: [
                "method": "\(request.method)", "target": "\(request.target)", "status": "\(response.status.code)",
            ])
    }
}

/// By when an invocation's work must be done, in the uptime of the time source.
///
/// Computed when the event comes: between two invocations the process is frozen, and time may pass or not.
struct InvocationDeadline {
    /// When waiting and trying again end.
    let forWork: Duration
    /// When an answer goes out in any case.
    let last: Duration

    init(_ invocation: Invocation, _ time: any TimeSource) {
        let (milliseconds, isOverflown) = invocation.deadlineMilliseconds
            .subtractingReportingOverflow(time.now().milliseconds)
        // No function runs for longer than 15 minutes.
        let remaining = Duration.milliseconds(isOverflown ? 900_000 : min(max(milliseconds, 0), 900_000))
        // Half a second lets the answer out; functions with a short timeout give a tenth of it.
        let margin = min(.milliseconds(500), remaining / 10)
        let end = time.uptime() + remaining
        forWork = end - margin
        last = end - margin / 2
    }
}

private struct InvocationSink: ResponseSink {
    let stream: any InvocationStream

    func write(_ bytes: [UInt8]) async throws { try await stream.write(bytes) }
}

extension StreamsError {
    /// The answer where the invocation's time is up before the work is done.
    fileprivate static func overdue(_ method: HTTPRequest.Method) -> StreamsError {
        let isRead = method == .get || method == .head
        return StreamsError(
            isRead ? .unavailable : .outcomeUnknown,
            isRead
                ? "The function's time was up before the store answered. Nothing was written."
                : "The function's time was up. The messages may or may not have been written. "
                    + "Read the end of the topic before you repeat them."
        ) { $0.retryAfter = .seconds(1) }
    }
}
