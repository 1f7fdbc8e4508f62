import HTTPTypes
import NIOCore
import SocketTesting
import StreamsTesting
import Testing

@testable import StreamsServer

/// Slow, silent and half-open clients cost nothing but their socket, and not for long.
@Suite("The server's patience", .serialized)
struct TimeoutTests {
    /// Short times for a request and its answer; nobody waits long for the next request only where a test says so, as
    /// a busy machine may keep a test from sending it.
    private static func short(idle: TimeAmount? = nil) -> RunningServer.Settings {
        var settings = RunningServer.Settings()
        if let idle { settings.timeouts.idle = idle }
        settings.timeouts.request = .milliseconds(300)
        settings.timeouts.write = .milliseconds(300)
        settings.timeouts.linger = .milliseconds(100)
        settings.eventStreamHeartbeat = .milliseconds(100)
        return settings
    }

    @Test("ends without a word for a connection that sends nothing, or a header that does not end")
    func closesIdleConnections() async throws {
        try await RunningServer.with(Self.short(idle: .milliseconds(300))) { server in
            for beginning in ["", "G", "GET /topics HTTP/1.1\r\nHost: x\r\n"] {
                let duration = try await ContinuousClock().measure {
                    try await RawConnection.open(server.port) { connection in
                        // The server may have closed it by now.
                        if !beginning.isEmpty { try? await connection.send(beginning) }
                        let received = try await connection.receiveAll()
                        #expect(received.isEmpty)
                    }
                }
                #expect(duration >= .milliseconds(290) && duration < .seconds(30))
            }
        }
    }

    @Test("is not renewed by a header that comes byte by byte")
    func closesSlowHeaders() async throws {
        try await RunningServer.with(Self.short(idle: .milliseconds(300))) { server in
            try await RawConnection.open(server.port) { connection in
                // The server may have closed it by now.
                try? await connection.send("GET /topics HTTP/1.1\r\n")
                let received = try await connection.receiveAll(whileSending: "X-Slow: 1\r\n", every: .milliseconds(50))
                #expect(received.isEmpty)
            }
        }
    }

    @Test("ends with 408 for a body that does not end, even one that comes byte by byte", arguments: [false, true])
    func refusesSlowBodies(trickles: Bool) async throws {
        try await RunningServer.with(Self.short()) { server in
            try await RawConnection.open(server.port) { connection in
                try await connection.send(
                    "POST /topics/orders/produce HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"payload\":1")
                var received =
                    trickles
                    ? try await connection.receiveAll(whileSending: " ", every: .milliseconds(50))
                    : try await connection.receiveAll()
                let answer = try RawAnswer(takenFrom: &received)
                #expect(answer.statusLine == "HTTP/1.1 408 Request Timeout")
                try answer.answer.expect(ExpectedProblem(408, "request_timeout"))
                #expect(answer.answer.headers[.connection] == "close")
                #expect(received.isEmpty)
            }
            try await server.front.get("/topics").expect(json: #"{"topics":[],"next_cursor":null}"#)
        }
    }

    @Test("ends after an answer when no other request follows")
    func closesAfterAnswers() async throws {
        try await RunningServer.with(Self.short(idle: .seconds(1))) { server in
            try await RawConnection.open(server.port) { connection in
                for _ in 1...2 {
                    try await connection.send("GET /topics HTTP/1.1\r\nHost: x\r\n\r\n")
                    #expect(try await connection.receiveAnswer().answer.status == .ok)
                }
                #expect(try await connection.receiveAll().isEmpty)
            }
        }
    }

    @Test("does not end while an answer is on its way: long-polls and streams outlast it")
    func keepsWaitingReaders() async throws {
        try await RunningServer.with(Self.short(idle: .seconds(1))) { server in
            try await RawConnection.open(server.port) { connection in
                try await connection.send("GET /topics/orders/consume?wait=2.5 HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await connection.receiveAnswer().answer.status == .ok)
            }
            try await RawConnection.open(server.port) { connection in
                try await connection.send(events())
                for _ in 1...20 { _ = try await connection.receive(upTo: ": keep-alive\n\n") }
            }
        }
    }

    @Test("ends for a client that does not read its answers", arguments: ["page", "stream"])
    func closesOnClientsThatDoNotRead(form: String) async throws {
        try await RunningServer.with(Self.short()) { server in
            let payload = String(repeating: "x", count: 1_000_000)
            for _ in 1...12 { _ = try await server.front.produce(#"{"payload":"\#(payload)"}"#) }
            try await RawConnection.open(server.port, receiveBufferBytes: 8192) { connection in
                let page = "GET /topics/orders/consume HTTP/1.1\r\nHost: x\r\n\r\n"
                try await connection.send(form == "page" ? String(repeating: page, count: 6) : events())
                // The client's silence, long past the server's patience.
                try await Task.sleep(for: .seconds(2))
                let received = try await connection.receiveAll()
                #expect(received.count < 11_000_000)
            }
        }
    }
}
