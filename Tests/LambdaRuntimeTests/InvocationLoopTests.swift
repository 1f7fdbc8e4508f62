import LambdaRuntime
import Logging
import Synchronization
import Testing

@Suite("The invocation loop")
struct InvocationLoopTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a loop over events until they are used up, and returns what became of it and what the API was told.
    private func run(
        _ events: [String], refusing: [String: RuntimeAPIError] = [:],
        _ handle: @escaping @Sendable (Invocation) async throws(InvocationFailure) -> InvocationAnswer
    ) async -> (error: RuntimeAPIError?, calls: [String]) {
        let api = ScriptedAPI(events: events, refusing: refusing)
        let loop = InvocationLoop(api: api, handler: ClosureHandler(body: handle), logger: Self.logger)
        do throws(RuntimeAPIError) {
            try await loop.run()
            return (nil, api.calls)
        } catch {
            return (error, api.calls)
        }
    }

    @Test("answers one event after the other until it is cancelled")
    func answers() async {
        let (error, calls) = await run(["a", "b"]) { invocation in
            #expect(Invocation.currentID == invocation.id)
            return .whole(invocation.event + Array("!".utf8))
        }
        #expect(error == nil && calls == ["next", "respond 1 a!", "next", "respond 2 b!", "next"])
    }

    @Test("an event that the function refuses is reported, and the next one is taken")
    func refusals() async {
        let (error, calls) = await run(["a", "b"]) { invocation throws(InvocationFailure) in
            if invocation.id == "1" { throw InvocationFailure(type: "Function.X", message: "no") }
            return .whole([])
        }
        #expect(error == nil && calls == ["next", "fail 1 Function.X", "next", "respond 2 ", "next"])
    }

    @Test("a stream is a head, eight zero bytes, and the body")
    func streams() async {
        let (_, calls) = await run(["a"]) { _ in
            .stream(prelude: Array("{}".utf8)) { stream in
                try await stream.write(Array("b".utf8))
                try await stream.write(Array("c".utf8))
            }
        }
        #expect(calls == ["next", "stream 1 {}\(String(repeating: "\0", count: 8))|b|c", "next"])
    }

    @Test("an answer that is too large is not sent; a small one goes instead")
    func tooLarge() async {
        let (error, calls) = await run(["a", "b"]) { invocation in
            .whole([UInt8](repeating: 32, count: invocation.id == "1" ? 6_291_557 : 1))
        }
        #expect(error == nil && calls == ["next", "respond 1 small", "next", "respond 2  ", "next"])
    }

    @Test("where the API finds an answer too large, a small one goes instead")
    func tooLargeForAPI() async {
        let (error, calls) = await run(["a"], refusing: ["respond 1 big": RuntimeAPIError(.tooLarge, "413")]) { _ in
            .whole(Array("big".utf8))
        }
        #expect(error == nil && calls == ["next", "respond 1 big", "respond 1 small", "next"])
    }

    @Test("an answer that the API refuses is lost, and the loop goes on")
    func refusedAnswer() async {
        let refusal = RuntimeAPIError(.refused, "400")
        let (error, calls) = await run(
            ["a", "b", "c"],
            refusing: ["respond 1 x": refusal, "fail 2 Function.X": refusal]
        ) { invocation throws(InvocationFailure) in
            if invocation.id == "2" { throw InvocationFailure(type: "Function.X", message: "no") }
            return .whole(Array("x".utf8))
        }
        #expect(error == nil && calls.last == "next" && calls.contains("respond 3 x"))
    }

    @Test("the loop ends where the API is lost", arguments: [RuntimeAPIError.Code.unreachable, .broken])
    func lost(code: RuntimeAPIError.Code) async {
        let lost = RuntimeAPIError(code, "gone")
        let whileAnswering = await run(["a", "b"], refusing: ["respond 1 x": lost]) { _ in .whole(Array("x".utf8)) }
        #expect(whileAnswering.error == lost && whileAnswering.calls == ["next", "respond 1 x"])
        let whileAsking = await run(["a"], refusing: ["next": lost]) { _ in .whole([]) }
        #expect(whileAsking.error == lost && whileAsking.calls == ["next"])
    }

    @Test("failures are JSON whatever they say")
    func documents() {
        let failure = InvocationFailure(type: "A.B", message: "a \"b\" \\ \n\t é")
        #expect(
            String(decoding: failure.document, as: UTF8.self)
                == #"{"errorMessage":"a \"b\" \\ \n  é","errorType":"A.B","stackTrace":[]}"#)
    }
}

private struct ClosureHandler: InvocationHandler {
    let body: @Sendable (Invocation) async throws(InvocationFailure) -> InvocationAnswer

    func handle(_ invocation: Invocation) async throws(InvocationFailure) -> InvocationAnswer {
        try await body(invocation)
    }

    func answerInsteadOfTooLarge(_ invocation: Invocation) -> [UInt8] { Array("small".utf8) }
}

/// Gives out events, and notes what it is told; at the end of the events it seems to be cancelled.
private final class ScriptedAPI: RuntimeAPI {
    private let events: [String]
    private let refusing: [String: RuntimeAPIError]
    private let state = Mutex((given: 0, calls: [String]()))

    init(events: [String], refusing: [String: RuntimeAPIError]) {
        self.events = events
        self.refusing = refusing
    }

    var calls: [String] { state.withLock { $0.calls } }

    private func note(_ call: String) throws(RuntimeAPIError) {
        state.withLock { $0.calls.append(call) }
        if let error = refusing[call] { throw error }
    }

    func next() async throws(RuntimeAPIError) -> Invocation {
        try note("next")
        let given = state.withLock { state in
            state.given += 1
            return state.given
        }
        guard given <= events.count else { throw RuntimeAPIError(.cancelled, "no more") }
        return Invocation(id: "\(given)", deadlineMilliseconds: 0, event: Array(events[given - 1].utf8))
    }

    func respond(_ body: [UInt8], to id: String) async throws(RuntimeAPIError) {
        try note("respond \(id) \(String(decoding: body, as: UTF8.self))")
    }

    func fail(_ failure: InvocationFailure, id: String) async throws(RuntimeAPIError) {
        try note("fail \(id) \(failure.type)")
    }

    func failInitialization(_ failure: InvocationFailure) async throws(RuntimeAPIError) {
        try note("init \(failure.type)")
    }

    func stream(
        to id: String, _ produce: @Sendable (any InvocationStream) async throws -> Void
    ) async throws(RuntimeAPIError) {
        let parts = Parts()
        try? await produce(parts)
        try note("stream \(id) \(parts.text)")
    }

    private final class Parts: InvocationStream {
        private let parts = Mutex<[String]>([])

        var text: String { parts.withLock { $0.joined(separator: "|") } }

        func write(_ bytes: [UInt8]) async throws {
            parts.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }
    }
}
