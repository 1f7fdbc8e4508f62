import HTTPTypes
import SocketTesting
import StreamsTesting
import Testing

@testable import StreamsServer

/// HTTP/1.1 as bytes on a connection.
@Suite("Connections to the server")
struct ConnectionTests {
    @Test("serve one request after another, with date and length on each answer")
    func serveManyRequests() async throws {
        try await RunningServer.with { server in
            try await RawConnection.open(server.port) { connection in
                for number in 1...3 {
                    try await connection.send(produce(#"{"payload":\#(number)}"#))
                    let answer = try await connection.receiveAnswer()
                    #expect(answer.statusLine == "HTTP/1.1 200 OK")
                    #expect(answer.answer.text == #"{"topic":"orders","offset":\#(number)}"#)
                    let date = try #require(answer.answer.headers[.date])
                    #expect(date.wholeMatch(of: #/[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/#) != nil)
                    #expect(answer.answer.headers[.connection] == nil)
                }
            }
        }
    }

    @Test("take requests that come all at once, and answer them in order", arguments: [3, 16, 17, 100])
    func answerPipelinedRequests(count: Int) async throws {
        try await RunningServer.with { server in
            try await RawConnection.open(server.port) { connection in
                try await connection.send((1...count).map { produce(#"{"payload":\#($0)}"#) }.joined())
                for number in 1...count {
                    let answer = try await connection.receiveAnswer().answer
                    #expect(answer.text == #"{"topic":"orders","offset":\#(number)}"#)
                }
            }
        }
    }

    @Test("take requests byte by byte, and bodies in chunks")
    func takeSlowRequests() async throws {
        try await RunningServer.with { server in
            try await RawConnection.open(server.port) { connection in
                for byte in produce(#"{"payload":1}"#).utf8 { try await connection.send([byte]) }
                #expect(try await connection.receiveAnswer().answer.text == #"{"topic":"orders","offset":1}"#)
                try await connection.send(chunkedHead + "4\r\n{\"pa\r\n9;x=y\r\nyload\":2}\r\n0\r\nTrailer: x\r\n\r\n")
                #expect(try await connection.receiveAnswer().answer.text == #"{"topic":"orders","offset":2}"#)
            }
        }
    }

    @Test("end after an answer where the client says so, or speaks HTTP/1.0")
    func endWhereAsked() async throws {
        try await RunningServer.with { server in
            for (version, field, status, connectionField) in [
                ("1.1", "Connection: close\r\n", "HTTP/1.1 200 OK", "close"),
                ("1.0", "", "HTTP/1.0 200 OK", "close"), ("1.0", "Connection: close\r\n", "HTTP/1.0 200 OK", "close"),
            ] {
                try await RawConnection.open(server.port) { connection in
                    try await connection.send("GET /topics HTTP/\(version)\r\nHost: x\r\n\(field)\r\n")
                    let answer = try await connection.receiveAnswer()
                    #expect(answer.statusLine == status)
                    #expect(answer.answer.headers[.connection] == connectionField)
                    #expect(try await connection.receiveAll().isEmpty)
                }
            }
            try await RawConnection.open(server.port) { connection in
                for _ in 1...2 {
                    try await connection.send("GET /topics HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                    #expect(try await connection.receiveAnswer().answer.headers[.connection] == "keep-alive")
                }
            }
        }
    }

    @Test("answer HEAD with the length of the body and without it, and OPTIONS without either")
    func answerWithoutBodies() async throws {
        try await RunningServer.with { server in
            try await RawConnection.open(server.port) { connection in
                try await connection.send(
                    "HEAD /topics HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n")
                let head = try await connection.receiveAnswer(isHead: true).answer
                #expect(head.headers[.contentLength] == String(#"{"topics":[],"next_cursor":null}"#.utf8.count))
                let options = try await connection.receiveAnswer()
                #expect(options.statusLine == "HTTP/1.1 204 No Content")
                #expect(options.answer.headers[.contentLength] == nil)
                // HEAD of a stream is no stream.
                try await connection.send(events(method: "HEAD"))
                #expect(
                    try await connection.receiveAnswer(isHead: true).answer.headers[.contentType] == "text/event-stream"
                )
                try await connection.send("GET /topics HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(try await connection.receiveAnswer().answer.text == #"{"topics":[],"next_cursor":null}"#)
            }
        }
    }

    @Test("send streams in chunks, and to HTTP/1.0 as they are")
    func sendStreams() async throws {
        try await RunningServer.with { server in
            try await server.front.produceNumbers(1)
            try await RawConnection.open(server.port) { connection in
                try await connection.send(events())
                let head = try await connection.receive(upTo: "\r\n\r\n")
                #expect(head.contains("\r\nTransfer-Encoding: chunked\r\n"))
                #expect(try await connection.receive(upTo: "\n\n\r\n") == "d\r\n: connected\n\n\r\n")
            }
            try await RawConnection.open(server.port) { connection in
                try await connection.send(events(version: "1.0"))
                let head = try await connection.receive(upTo: "\r\n\r\n")
                #expect(head.hasPrefix("HTTP/1.0 200") && !head.contains("Transfer-Encoding"))
                #expect(try await connection.receive(upTo: "\n\n") == ": connected\n\n")
                #expect(try await connection.receive(upTo: "\n\n").hasPrefix("id: 1\ndata: {"))
            }
        }
    }

    @Test("still answer a client that has closed its side after the request")
    func answerHalfClosedClients() async throws {
        try await RunningServer.with { server in
            for request in [produce(#"{"payload":1}"#), "GET /topics/orders/consume HTTP/1.1\r\nHost: x\r\n\r\n"] {
                try await RawConnection.open(server.port) { connection in
                    try await connection.send(request)
                    connection.finishSending()
                    #expect(try await connection.receiveAnswer().answer.status == .ok)
                    #expect(try await connection.receiveAll().isEmpty)
                }
            }
        }
    }

    @Test("send a large answer whole to a client that has closed its side")
    func answerHalfClosedClientsWhole() async throws {
        try await RunningServer.with { server in
            let payload = String(repeating: "x", count: 1_000_000)
            for _ in 1...4 { _ = try await server.front.produce(#"{"payload":"\#(payload)"}"#) }
            try await RawConnection.open(server.port, receiveBufferBytes: 8192) { connection in
                try await connection.send("GET /topics/orders/consume HTTP/1.1\r\nHost: x\r\n\r\n")
                connection.finishSending()
                let answer = try await connection.receiveAnswer().answer
                #expect(answer.body.count > 4_000_000)
            }
        }
    }

    @Test("let nobody wait for messages whose client is gone")
    func forgetClientsThatLeft() async throws {
        try await RunningServer.with { server in
            for request in ["GET /topics/orders/consume?wait=20 HTTP/1.1\r\nHost: x\r\n\r\n", events()] {
                try await RawConnection.open(server.port) { connection in
                    try await connection.send(request)
                    try await server.until { server.waitingTopics == 1 }
                }
                try await server.until { server.waitingTopics == 0 }
            }
        }
    }

    @Test("refuse a body that is announced as too large at once, without reading it")
    func refuseLargeBodiesUnread() async throws {
        try await RunningServer.with { server in
            for field in ["", "Expect: 100-continue\r\n"] {
                try await RawConnection.open(server.port) { connection in
                    try await connection.send(
                        "POST /topics/orders/produce HTTP/1.1\r\nHost: x\r\n\(field)Content-Length: 5242881\r\n\r\n{")
                    let answer = try await connection.receiveAnswer().answer
                    try answer.expect(.tooLarge("request_body", 5_242_880))
                    #expect(answer.headers[.connection] == "close")
                    #expect(answer.headers[.accessControlAllowOrigin] == "*")
                    #expect(try await connection.receiveAll().isEmpty)
                }
            }
        }
    }

    @Test("refuse a body in chunks when it has become too large")
    func refuseLargeChunkedBodies() async throws {
        try await RunningServer.with { server in
            try await RawConnection.open(server.port) { connection in
                try await connection.send(chunkedHead)
                let chunk = "100000\r\n" + String(repeating: "x", count: 0x100000) + "\r\n"
                for _ in 1...6 { try await connection.send(chunk) }
                try await connection.receiveAnswer().answer.expect(.tooLarge("request_body", 5_242_880))
                #expect(try await connection.receiveAll().isEmpty)
            }
            try await server.front.get("/topics").expect(json: #"{"topics":[],"next_cursor":null}"#)
        }
    }

    @Test("ask clients to go on that wait for it")
    func askToContinue() async throws {
        try await RunningServer.with { server in
            try await RawConnection.open(server.port) { connection in
                try await connection.send(
                    "POST /topics/orders/produce HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 13\r\n\r\n"
                )
                #expect(try await connection.receive(upTo: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
                try await connection.send(#"{"payload":1}"#)
                #expect(try await connection.receiveAnswer().answer.text == #"{"topic":"orders","offset":1}"#)
            }
        }
    }

    @Test(
        "answer what is not HTTP with a problem, and close",
        arguments: [
            "\0\u{1}\u{2}\r\n\r\n", "hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 200_000) + "\r\n\r\n",
            "GET /" + String(repeating: "x", count: 200_000) + " HTTP/1.1\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}",
        ])
    func refuseWhatIsNotHTTP(bytes: String) async throws {
        try await RunningServer.with { server in
            try await RawConnection.open(server.port) { connection in
                try? await connection.send(bytes)
                let answer = try await connection.receiveAnswer().answer
                try answer.expect(.invalidParameter("request"))
                #expect(answer.headers[.connection] == "close")
                #expect(try await connection.receiveAll().isEmpty)
            }
        }
    }
}

/// A produce request.
func produce(_ body: String) -> String {
    "POST /topics/orders/produce HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// The head of a produce request whose body comes in chunks.
let chunkedHead = "POST /topics/orders/produce HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

/// A request for events.
func events(method: String = "GET", version: String = "1.1") -> String {
    "\(method) /topics/orders/consume HTTP/\(version)\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n"
}
