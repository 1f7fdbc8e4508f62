import Foundation
import HTTPTypes
import LambdaRuntime
import Logging
import StreamsAPI
import StreamsCore
import StreamsHTTP
import StreamsLambda
import StreamsMetrics
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

/// The function over a log in memory, fed with events as a gateway makes them of requests.
struct LambdaFront: Sendable {
    /// How requests become events.
    enum Gateway: String, Sendable, CaseIterable {
        case rest
        case http
        case restStreaming

        var isStreaming: Bool { self == .restStreaming }
    }

    let gateway: Gateway
    let function: StreamsFunction
    let log: Log
    let store: InMemoryStore
    var timeout: Duration = .seconds(29)

    static func with<Value: Sendable>(
        _ gateway: Gateway, store: InMemoryStore = InMemoryStore(),
        segments: (any SegmentStore)? = nil, _ body: (LambdaFront) async throws -> Value
    ) async throws -> Value {
        let time = SystemTime()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let log = Log(
            table: store, segments: segments ?? store, time: time, makeAppendID: AppendID.random, logger: logger)
        let function = StreamsFunction(
            log: log, mergingStore: store,
            configuration: StreamsHandler.Configuration(storeName: "memory", version: "1.2.3"),
            streamsAnswers: gateway.isStreaming, time: time,
            metrics: RequestMetrics(factory: PrometheusRegistry()), logger: logger
        ) { "metrics" }
        async let running: Void = log.run()
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(
                try await body(LambdaFront(gateway: gateway, function: function, log: log, store: store)))
        } catch {
            outcome = .failure(error)
        }
        log.close()
        await running
        return try outcome.get()
    }

    /// The front for the conformance suite.
    var front: HTTPFront {
        HTTPFront(
            transport: { try await answer($0) },
            openStream: { try await gateway.isStreaming ? answer($0, until: $1) : stream($0, until: $1) },
            trim: { store.trim($0, before: $1) })
    }

    func invocation(_ event: [String: Any]) throws -> Invocation {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        return Invocation(
            id: "id", deadlineMilliseconds: now + timeout.wholeMilliseconds,
            event: Array(try JSONSerialization.data(withJSONObject: event)))
    }

    /// Invokes the function with a request, and takes its answer apart as a gateway does.
    func answer(
        _ request: APIRequest, until isEnough: @escaping HTTPFront.StreamCondition = { _ in false }
    ) async throws -> HTTPAnswer {
        let event = gateway == .http ? Self.httpEvent(request) : Self.restEvent(request)
        switch try await function.handle(invocation(event)) {
        case .whole(let document):
            #expect(document.count <= InvocationLoop.answerBytesMaximum)
            return try Self.answer(JSONSerialization.jsonObject(with: Data(document)), gateway)
        case .stream(let prelude, let body):
            let stream = CollectingSink(isEnough: isEnough)
            do { try await body(stream) } catch is CollectingSink.HangUp {}
            var answer = try Self.answer(JSONSerialization.jsonObject(with: Data(prelude)), gateway)
            answer.body = stream.received
            return answer
        }
    }

    /// Reads events as a browser does whose answers end early: it asks again with the last id that it saw.
    ///
    /// Here the function differs from the server: a stream that is not streamed ends at the end of the topic, with the
    /// lines for coming back, which the browser and not the page sees.
    private func stream(
        _ request: APIRequest, until isEnough: @escaping HTTPFront.StreamCondition
    ) async throws -> HTTPAnswer {
        var request = request
        var whole = try await answer(request)
        guard whole.status == .ok else { return whole }
        var body = Self.withoutFarewell(whole.text, &request)
        while try await !isEnough(Array(body.utf8)) {
            // As a browser does, only sooner.
            try await Task.sleep(for: .milliseconds(5))
            let next = try await answer(request)
            try #require(next.status == .ok && next.text.hasPrefix(": connected\n\n"))
            body += Self.withoutFarewell(next.text, &request).dropFirst(": connected\n\n".count)
        }
        whole.body = Array(body.utf8)
        return whole
    }

    private static func withoutFarewell(_ text: String, _ request: inout APIRequest) -> String {
        // From the end: the events before it may be megabytes.
        if let id = text.range(of: "\nid: ", options: .backwards), let name = HTTPField.Name("Last-Event-ID") {
            request.headers[name] = String(text[id.upperBound...].prefix { $0 != "\n" })
        }
        guard let farewell = text.range(of: "retry: 1000\n", options: .backwards) else { return text }
        return String(text[..<farewell.lowerBound])
    }

    private static func answer(_ document: Any, _ gateway: Gateway) throws -> HTTPAnswer {
        let members = try #require(document as? [String: Any])
        var answer = HTTPAnswer(
            status: HTTPResponse.Status(code: try #require(members["statusCode"] as? Int)), headers: [:], body: [])
        if gateway == .http {
            #expect(members["multiValueHeaders"] == nil)
            for (name, value) in try #require(members["headers"] as? [String: String]) {
                answer.headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
            }
        } else {
            for (name, values) in try #require(members["multiValueHeaders"] as? [String: [String]]) {
                for value in values {
                    answer.headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
                }
            }
        }
        if let body = members["body"] as? String {
            #expect(members["isBase64Encoded"] as? Bool == false)
            answer.body = Array(body.utf8)
        }
        return answer
    }
}

extension CollectingSink: InvocationStream {}
