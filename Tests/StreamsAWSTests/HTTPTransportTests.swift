import Logging
import NIOCore
import NIOHTTP1
import StreamsCore
import StreamsModel
import Synchronization
import Testing

@testable import StreamsAWS

@Suite("Requests over a socket")
struct HTTPTransportTests {
    @Test("a whole answer comes back, also a large one and one without a body")
    func whole() async throws {
        let large = String(repeating: "x", count: 3_000_000)
        let server = try await LocalServer.start {
            .answer($0.uri == "/none" ? 404 : 200, body: $0.uri == "/none" ? "" : large)
        }
        #expect(try await get(server.url + "/large").body.count == 3_000_000)
        #expect(try await get(server.url + "/none").status == 404)
        try await server.stop()
    }

    @Test("a body that is cut is a failure, not a short body")
    func cut() async throws {
        let server = try await LocalServer.start { _ in .cut(announced: 10, body: "short") }
        let failure = await failure(server.url)
        #expect(failure?.kind == .connectionClosed && failure?.isSent == true)
        try await server.stop()
    }

    @Test("a connection that closes without an answer may have carried the request")
    func closed() async throws {
        let server = try await LocalServer.start { _ in .close }
        let failure = await failure(server.url)
        #expect(failure?.kind == .connectionClosed && failure?.isSent == true)
        try await server.stop()
    }

    @Test("where nobody listens, nothing was sent")
    func refused() async throws {
        let server = try await LocalServer.start { _ in .nothing }
        let url = server.url
        try await server.stop()
        let failure = await failure(url)
        #expect(failure?.kind == .notConnected && failure?.isSent == false)
    }

    @Test("an answer that does not come ends the try in its time", .timeLimit(.minutes(1)))
    func slow() async throws {
        let server = try await LocalServer.start { _ in .nothing }
        let failure = await failure(server.url, timeout: .seconds(1))
        #expect(failure?.kind == .timedOut && failure?.isSent == true)
        try await server.stop()
    }

    @Test("a cancelled task does not wait for its answer")
    func cancelled() async throws {
        let server = try await LocalServer.start { _ in .nothing }
        let url = server.url
        let task = Task { await failure(url, timeout: .seconds(60)) }
        while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        try await server.stop()
    }

    @Test("a header that HTTP does not allow is refused before anything is sent, and not shown")
    func badHeader() async throws {
        let server = try await LocalServer.start { _ in .answer(200, body: "") }
        do throws(AWSTransportFailure) {
            let request = AWSTransportRequest(method: .GET, url: server.url, headers: [("x-amz-meta-a", "b\r\nc: d")])
            _ = try await HTTPTransport.shared.send(request, timeout: .seconds(5))
            Issue.record("sent")
        } catch {
            #expect(error.kind == .unsendable && !error.isSent)
            #expect(!error.cause.contains("c: d"))
        }
        #expect(server.requests.isEmpty)
        try await server.stop()
    }

    @Test("connections that were closed while idle cost one more request at once, and no failure")
    func staleConnection() async throws {
        let server = try await LocalServer.start { _ in .answerAndClose(200, body: "") }
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let clock = AWSClock(SystemTime(), logger: quiet)
        let settings = [
            "AWS_ENDPOINT_URL": server.url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AK",
            "AWS_SECRET_ACCESS_KEY": "SK",
        ]
        let connection = AWSConnection(
            try AWSConfiguration(environment: settings) { _ in nil }, clock: clock, logger: quiet)
        let s3 = S3Client(connection, bucket: "bucket")
        for _ in 0..<50 { #expect(try await s3.getObject("key") != nil) }
        try await server.stop()
    }

    @Test("many calls at once share the connections, and none is sent twice")
    func manyAtOnce() async throws {
        let server = try await LocalServer.start { _ in .answer(200, body: "x") }
        let url = server.url
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<200 { group.addTask { try await get(url, timeout: .seconds(20)).status } }
            for try await status in group { #expect(status == 200) }
        }
        #expect(server.requests.count == 200)
        #expect(server.connectionCount <= 64)
        try await server.stop()
    }

    private func get(_ url: String, timeout: Duration = .seconds(5)) async throws(AWSTransportFailure)
        -> AWSTransportAnswer
    {
        try await HTTPTransport.shared.send(AWSTransportRequest(method: .GET, url: url, headers: []), timeout: timeout)
    }

    private func failure(_ url: String, timeout: Duration = .seconds(5)) async -> AWSTransportFailure? {
        do {
            _ = try await get(url, timeout: timeout)
            return nil
        } catch {
            return error
        }
    }
}
