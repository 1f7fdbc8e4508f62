import HTTPTypes
import StreamsCore
import StreamsModel
import SocketTesting
import StreamsTesting
import Synchronization
import Testing

@testable import StreamsServer

@Suite("A graceful shutdown of the server")
struct ShutdownTests {
    @Test("ends long-polls with an empty answer, streams at once, and idle connections")
    func endsWaitingReaders() async throws {
        let ready = Count()
        try await RunningServer.with { server in
            try await server.front.produceNumbers(1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await longPoll(server) }
                group.addTask { try await stream(server) }
                group.addTask {
                    try await RawConnection.open(server.port) { connection in
                        ready.value.add(1, ordering: .relaxed)
                        let received = try await connection.receiveAll()
                        #expect(received.isEmpty)
                    }
                }
                group.addTask {
                    try await RawConnection.open(server.port) { connection in
                        try await connection.send("GET /topics HTTP/1.1\r\nHost: x\r\n\r\n")
                        #expect(try await connection.receiveAnswer().answer.status == .ok)
                        ready.value.add(1, ordering: .relaxed)
                        #expect(try await connection.receiveAll().isEmpty)
                    }
                }
                try await server.until {
                    server.waitingTopics == 2 && ready.value.load(ordering: .relaxed) == 2
                }
                let begun = ContinuousClock.now
                await server.shutDown()
                try await group.waitForAll()
                // Sooner than the long-poll would have ended by itself.
                #expect(ContinuousClock.now - begun < .seconds(15))
            }
        }
    }

    private func longPoll(_ server: RunningServer) async throws {
        try await RawConnection.open(server.port) { connection in
            try await connection.send("GET /topics/other/consume?wait=20 HTTP/1.1\r\nHost: x\r\n\r\n")
            let answer = try await connection.receiveAnswer().answer
            answer.expect(messages: "", next: 1, end: 1)
            #expect(try await connection.receiveAll().isEmpty)
        }
    }

    private func stream(_ server: RunningServer) async throws {
        try await RawConnection.open(server.port) { connection in
            try await connection.send(events())
            let received = String(decoding: try await connection.receiveAll(), as: UTF8.self)
            // Whole to its end: the last chunk is there.
            #expect(received.contains("id: 1\n") && received.hasSuffix("\r\n0\r\n\r\n"))
        }
    }

    @Test("answers every append that it has taken in, and loses none that it acknowledged")
    func finishesAppends() async throws {
        try await RunningServer.with { server in
            let acknowledged = Count()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...8 {
                    group.addTask {
                        // Ends when the server does.
                        try? await RawConnection.open(server.port) { connection in
                            while true {
                                try await connection.send(produce(#"{"payload":1}"#))
                                guard try await connection.receiveAnswer().answer.status == .ok else { return }
                                acknowledged.value.add(1, ordering: .relaxed)
                            }
                        }
                    }
                }
                try await server.until { acknowledged.value.load(ordering: .relaxed) >= 100 }
                await server.shutDown()
                try await group.waitForAll()
            }
            let count = acknowledged.value.load(ordering: .relaxed)
            let end = await server.store.head(of: try topic("orders"))?.end.rawValue ?? 1
            #expect(end - 1 >= count)
            // At most one for each producer, whose answer was lost with its connection.
            #expect(end - 1 <= count + 8)
        }
    }

    @Test("sends an answer to its end that a slow client is still reading")
    func finishesLargeAnswers() async throws {
        try await RunningServer.with { server in
            let payload = String(repeating: "x", count: 1_000_000)
            for _ in 1...4 { _ = try await server.front.produce(#"{"payload":"\#(payload)"}"#) }
            try await RawConnection.open(server.port, receiveBufferBytes: 8192) { connection in
                try await connection.send("GET /topics/orders/consume HTTP/1.1\r\nHost: x\r\n\r\n")
                _ = try await connection.receive(upTo: "\r\n\r\n")
                await server.shutDown()
                #expect(try await connection.receiveAll().count > 4_000_000)
            }
        }
    }

    @Test("takes no more connections")
    func takesNoMoreConnections() async throws {
        try await RunningServer.with { server in
            await server.shutDown()
            try await server.until {
                let answer = try? await RawConnection.open(server.port) { connection in
                    try await connection.send("GET /topics HTTP/1.1\r\nHost: x\r\n\r\n")
                    return try await connection.receiveAnswer().answer
                }
                return answer == nil
            }
        }
    }
}

/// A number that tasks count up.
private final class Count: Sendable {
    let value = Atomic(0)
}
