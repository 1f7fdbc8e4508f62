import HTTPTypes
import Logging
import StreamsCore
import StreamsHTTP
import StreamsModel
import StreamsTesting
import Synchronization

/// The API over a log in memory, without a socket.
struct InProcessAPI: Sendable {
    let handler: StreamsHandler
    let log: Log
    let store: InMemoryStore

    /// Runs the body with an API over an empty store.
    static func with<Value: Sendable>(
        _ configure: (inout StreamsHandler.Configuration) -> Void = { _ in },
        _ body: (InProcessAPI) async throws -> Value
    ) async throws -> Value {
        let store = InMemoryStore()
        let log = Log(
            table: store, segments: store, time: SystemTime(), makeAppendID: AppendID.random,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var configuration = StreamsHandler.Configuration(storeName: "memory", version: "1.2.3")
        configure(&configuration)
        let handler = StreamsHandler(log: log, configuration: configuration) { "metrics" }
        async let running: Void = log.run()
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body(InProcessAPI(handler: handler, log: log, store: store)))
        } catch {
            outcome = .failure(error)
        }
        log.close()
        await running
        return try outcome.get()
    }

    /// Answers as a front would: too much is refused, HEAD gets no body, a stream is cut where it has brought enough.
    func answer(
        _ request: APIRequest, until isEnough: @escaping HTTPFront.StreamCondition = { _ in false }
    ) async throws -> HTTPAnswer {
        let response =
            request.body.count > handler.bodyBytesMaximum
            ? handler.tooLarge(request) : await handler.respond(to: request)
        var answer = HTTPAnswer(status: response.status, headers: response.headers, body: [])
        if request.method == .head { return answer }
        switch response.body {
        case .bytes(let bytes):
            answer.body = bytes
        case .stream(let run):
            let sink = CollectingSink(isEnough: isEnough)
            do {
                try await run(sink)
            } catch is CollectingSink.HangUp {}
            answer.body = sink.received
        }
        return answer
    }

    /// The front for the conformance suite.
    var front: HTTPFront {
        HTTPFront(
            transport: { try await answer($0) },
            openStream: { try await answer($0, until: $1) },
            trim: { store.trim($0, before: $1) })
    }
}
