import HTTPTypes
import NIOCore
import NIOPosix
package import StreamsTesting

/// A client that sends bytes as it is told, at the pace it is told.
package struct RawConnection {
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var buffer: [UInt8] = []
    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator

    /// Runs the body with a connection to a port of this machine, and closes it afterwards.
    package static func open<Value: Sendable>(
        _ port: Int, receiveBufferBytes: Int? = nil,
        _ body: @Sendable (inout RawConnection) async throws -> Value
    ) async throws -> Value {
        var bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        if let receiveBufferBytes {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: receiveBufferBytes)
        }
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                    wrappingChannelSynchronously: channel,
                    configuration: NIOAsyncChannel.Configuration(isOutboundHalfClosureEnabled: true))
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = RawConnection(
                outbound: outbound, iterator: inbound.makeAsyncIterator())
            return try await body(&connection)
        }
    }

    /// Sends text.
    package func send(_ text: String) async throws {
        try await send(Array(text.utf8))
    }

    /// Sends bytes.
    package func send(_ bytes: [UInt8]) async throws {
        try await outbound.write(ByteBuffer(bytes: bytes))
    }

    /// Closes the sending side.
    package func finishSending() {
        outbound.finish()
    }

    /// Everything up to where the server closes, or resets, the connection.
    package mutating func receiveAll() async throws -> [UInt8] {
        while try await receiveMore() {}
        defer { buffer = [] }
        return buffer
    }

    /// As ``receiveAll()``, while the text is sent again and again until the connection takes no more.
    package mutating func receiveAll(whileSending text: String, every pause: Duration) async throws -> [UInt8] {
        let outbound = self.outbound
        let sender = Task {
            while !Task.isCancelled {
                try await outbound.write(ByteBuffer(string: text))
                try await Task.sleep(for: pause)
            }
        }
        defer { sender.cancel() }
        return try await receiveAll()
    }

    /// The next answer of a known length.
    package mutating func receiveAnswer(isHead: Bool = false) async throws -> RawAnswer {
        while true {
            if let answer = try? RawAnswer(takenFrom: &buffer, isHead: isHead) { return answer }
            guard try await receiveMore() else { throw ConnectionEnded() }
        }
    }

    /// Everything from here on until the text has come, including it.
    package mutating func receive(upTo text: String) async throws -> String {
        while true {
            let received = String(decoding: buffer, as: UTF8.self)
            if let range = received.firstRange(of: text) {
                buffer.removeFirst(received[..<range.upperBound].utf8.count)
                return String(received[..<range.upperBound])
            }
            guard try await receiveMore() else { throw ConnectionEnded() }
        }
    }

    /// Waits for more bytes; returns whether there are any before the end.
    private mutating func receiveMore() async throws -> Bool {
        do {
            guard let part = try await iterator.next(isolation: #isolation) else { return false }
            buffer.append(contentsOf: part.readableBytesView)
            return true
        } catch let error as IOError where error.errnoCode == ECONNRESET {
            return false
        }
    }
}

/// The server closed the connection before what was waited for.
package struct ConnectionEnded: Error {}

/// An answer as its bytes on the wire.
package struct RawAnswer: Sendable {
    /// The answer.
    package let answer: HTTPAnswer
    /// The status line.
    package let statusLine: String

    /// Takes the first answer out of what was received; the body is of the length that the header tells.
    ///
    /// - Throws: where it has not all been received.
    package init(takenFrom received: inout [UInt8], isHead: Bool = false) throws {
        guard let end = received.firstRange(of: Array("\r\n\r\n".utf8)) else { throw ConnectionEnded() }
        var lines = String(decoding: received[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        statusLine = String(lines.removeFirst())
        var headers = HTTPFields()
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let name = HTTPField.Name(String(parts[0])) else { throw ConnectionEnded() }
            headers.append(HTTPField(name: name, value: parts[1].trimmingPrefix(" ").description))
        }
        let code = statusLine.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var body: [UInt8] = []
        var next = end.upperBound
        if !isHead, headers[.transferEncoding]?.lowercased() == "chunked" {
            body = try Self.chunks(of: received, from: &next)
        } else {
            let length = isHead ? 0 : headers[.contentLength].flatMap { Int($0) } ?? 0
            guard received.count >= next + length else { throw ConnectionEnded() }
            body = Array(received[next..<next + length])
            next += length
        }
        answer = HTTPAnswer(status: HTTPResponse.Status(code: code), headers: headers, body: body)
        received.removeFirst(next)
    }

    /// The bytes of a chunked body without trailers (RFC 9112 section 7.1).
    private static func chunks(of received: [UInt8], from next: inout Int) throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            guard let end = received[next...].firstRange(of: Array("\r\n".utf8)),
                let size = Int(String(decoding: received[next..<end.lowerBound], as: UTF8.self), radix: 16),
                received.count >= end.upperBound + size + 2
            else { throw ConnectionEnded() }
            body += received[end.upperBound..<end.upperBound + size]
            next = end.upperBound + size + 2
            if size == 0 { return body }
        }
    }
}
