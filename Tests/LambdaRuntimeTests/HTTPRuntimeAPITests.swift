import LambdaRuntime
import Logging
import NIOHTTP1
import NIOPosix
import Testing

@Suite("The Runtime API over HTTP")
struct HTTPRuntimeAPITests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let event: [(String, String)] = [
        ("Lambda-Runtime-Aws-Request-Id", "8476a536"), ("Lambda-Runtime-Deadline-Ms", "1702000000000"),
        ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7"),
    ]

    private func client(_ address: String) throws -> HTTPRuntimeAPI {
        try #require(
            HTTPRuntimeAPI(address: address, group: MultiThreadedEventLoopGroup.singleton, logger: Self.logger))
    }

    private func client<Value: Sendable>(
        _ react: @escaping @Sendable (SocketAPI.Request, Int) -> SocketAPI.Reaction,
        _ body: (HTTPRuntimeAPI, SocketAPI) async throws -> Value
    ) async throws -> Value {
        try await SocketAPI.with(react) { api, address in try await body(client(address), api) }
    }

    private func error(_ body: () async throws(RuntimeAPIError) -> Void) async -> RuntimeAPIError? {
        do throws(RuntimeAPIError) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test("an event comes with its id, deadline and trace, over one connection for all requests")
    func next() async throws {
        try await client({ _, _ in .answer(200, Self.event, "{}") }) { client, api in
            for _ in 1...3 {
                let invocation = try await client.next()
                #expect(
                    invocation
                        == Invocation(
                            id: "8476a536", deadlineMilliseconds: 1_702_000_000_000, traceID: "Root=1-5bef4de7",
                            event: Array("{}".utf8)))
                try await client.respond(Array("{\"é\":1}".utf8), to: "8476a536")
            }
            #expect(Set(api.requests.map(\.connection)) == [1])
            #expect(api.requests[0].method == "GET" && api.requests[0].path == "/2018-06-01/runtime/invocation/next")
            #expect(api.requests[1].path == "/2018-06-01/runtime/invocation/8476a536/response")
            #expect(api.requests[1].body == Array("{\"é\":1}".utf8))
            #expect(api.requests[1].headers["content-length"] == ["8"])
        }
    }

    @Test("failures go where the API wants them, with their type in a header")
    func failures() async throws {
        try await client({ _, _ in .answer(202) }) { client, api in
            let failure = InvocationFailure(type: "Function.X", message: "why")
            try await client.fail(failure, id: "1")
            try await client.failInitialization(failure)
            #expect(
                api.requests.map(\.path) == [
                    "/2018-06-01/runtime/invocation/1/error", "/2018-06-01/runtime/init/error",
                ])
            for request in api.requests {
                #expect(request.headers["lambda-runtime-function-error-type"] == ["Function.X"])
                #expect(request.body == failure.document)
            }
        }
    }

    @Test("a stream is chunked, marked as one, and without trailers when it ends well")
    func streams() async throws {
        try await client({ _, _ in .answer(202) }) { client, api in
            try await client.stream(to: "1") { stream in
                for part in ["a", "", "b"] { try await stream.write(Array(part.utf8)) }
            }
            try await client.respond([], to: "2")
            let request = api.requests[0]
            #expect(request.body == Array("ab".utf8) && request.trailers == nil)
            #expect(request.headers["transfer-encoding"] == ["chunked"])
            #expect(request.headers["content-length"].isEmpty)
            #expect(request.headers["lambda-runtime-function-response-mode"] == ["streaming"])
            #expect(request.headers["content-type"] == ["application/vnd.awslambda.http-integration-response"])
            #expect(api.requests[1].connection == 1)
        }
    }

    @Test("a stream that breaks says so in its trailers")
    func brokenStreams() async throws {
        struct Broken: Error {}
        try await client({ _, _ in .answer(202) }) { client, api in
            try await client.stream(to: "1") { stream in
                try await stream.write(Array("a".utf8))
                throw Broken()
            }
            let trailers = try #require(api.requests[0].trailers)
            #expect(trailers["lambda-runtime-function-error-type"] == ["Function.StreamBroken"])
            let document = Base64.decode(trailers["lambda-runtime-function-error-body"].first ?? "")
            #expect(document.map { String(decoding: $0, as: UTF8.self) }?.contains("ended early") == true)
        }
    }

    @Test(
        "what the API says to an answer tells the loop what to do",
        arguments: [
            (413, RuntimeAPIError.Code.tooLarge), (400, .refused), (403, .refused), (500, .broken), (503, .broken),
        ])
    func refusals(status: Int, code: RuntimeAPIError.Code) async throws {
        try await client({ _, _ in .answer(status, [], #"{"errorType":"X"}"#) }) { client, _ in
            let error = await error { () throws(RuntimeAPIError) in try await client.respond([1], to: "1") }
            #expect(error?.code == code && error?.message.contains("\(status)") == true)
        }
    }

    @Test("an event without an id, or none at all, ends the loop", arguments: [200, 403, 500])
    func badEvents(status: Int) async throws {
        try await client({ _, _ in .answer(status, [], "{}") }) { client, _ in
            let error = await error { () throws(RuntimeAPIError) in _ = try await client.next() }
            #expect(error?.code == .broken)
        }
    }

    @Test("a connection that ended while it was idle is made anew without a word", arguments: [true, false])
    func idleConnections(isNoticed: Bool) async throws {
        let react: @Sendable (SocketAPI.Request, Int) -> SocketAPI.Reaction = { request, number in
            switch number {
            case 0: isNoticed ? .answerAndHangUp(200, Self.event, "{}") : .answer(200, Self.event, "{}")
            // The end of the connection, and not an answer, is what an old connection gives.
            case 1 where !isNoticed: .hangUp
            default: .answer(202)
            }
        }
        try await client(react) { client, api in
            _ = try await client.next()
            try await client.respond([1], to: "1")
            #expect(api.requests.last?.connection == 2 && api.requests.last?.body == [1])
        }
    }

    @Test("an API that hangs up is tried a few times, and then given up")
    func hangUps() async throws {
        try await client({ _, _ in .hangUp }) { client, api in
            let error = await error { () throws(RuntimeAPIError) in try await client.respond([1], to: "1") }
            #expect(error?.code == .unreachable && api.requests.count == 6)
        }
    }

    @Test("where nothing listens, the error says where")
    func nothingListens() async throws {
        let address = try await SocketAPI.with({ _, _ in .silence }) { _, address in address }
        let client = try client(address)
        let error = await error { () throws(RuntimeAPIError) in _ = try await client.next() }
        #expect(error?.code == .unreachable && error?.message.contains(address) == true)
    }

    @Test("a cancelled wait for an event ends at once")
    func cancellation() async throws {
        try await client({ _, _ in .silence }) { client, api in
            await withTaskGroup(of: RuntimeAPIError?.self) { group in
                group.addTask {
                    do throws(RuntimeAPIError) {
                        _ = try await client.next()
                        return nil
                    } catch {
                        return error
                    }
                }
                for await _ in api.incoming { break }
                group.cancelAll()
                #expect(await group.next()??.code == .cancelled)
            }
        }
    }

    @Test("an address is a host and a port", arguments: ["", "host", ":80", "host:", "host:0", "host:65536", "host:x"])
    func addresses(address: String) {
        #expect(
            HTTPRuntimeAPI(address: address, group: MultiThreadedEventLoopGroup.singleton, logger: Self.logger) == nil)
    }

    @Test("a name is looked up")
    func names() async throws {
        try await SocketAPI.with({ _, _ in .answer(200, Self.event, "{}") }) { _, address in
            let client = try client(address.replacing("127.0.0.1", with: "localhost"))
            #expect(try await client.next().id == "8476a536")
        }
    }
}
