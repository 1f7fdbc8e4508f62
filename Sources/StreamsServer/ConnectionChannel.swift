import HummingbirdCore
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import StreamsHTTP
import StreamsMetrics

/// What Hummingbird's server runs for each connection: HTTP/1.1 in, whole requests to the API, answers out.
///
/// The connection's task runs on the connection's event loop: see `docs/decisions`. Requests on one connection are
/// answered one after the other.
struct ConnectionChannel: ServerChildChannel {
    let handler: StreamsHandler
    let timeouts: ConnectionTimeouts
    let executors: EventLoopExecutors
    let metrics: RequestMetrics
    let logger: Logger

    /// A connection that was set up.
    struct Connection: ServerChildChannelValue {
        let channel: any Channel
        let mailbox: RequestMailbox
        let inputClosed: AsyncStream<Never>
        let closeInput: @Sendable () -> Void
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            let mailbox = RequestMailbox()
            let (inputClosed, continuation) = AsyncStream<Never>.makeStream()
            let closeInput = { @Sendable () -> Void in
                mailbox.finish()
                continuation.finish()
            }
            try Self.watchPeer(of: channel, giveUpAfter: timeouts.write)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
            try pipeline.addHandler(
                ConnectionHandler(
                    handler: handler, timeouts: timeouts, mailbox: mailbox, onInputClosed: closeInput))
            return Connection(channel: channel, mailbox: mailbox, inputClosed: inputClosed, closeInput: closeInput)
        }
    }

    /// Lets the kernel find out that a peer is gone without a word, while a stream has little to send or a long-poll
    /// nothing.
    private static func watchPeer(of channel: any Channel, giveUpAfter patience: TimeAmount) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.socketOption(.so_keepalive), value: 1)
        #if os(Linux)
            // TCP_USER_TIMEOUT, in milliseconds: how long sent data, or a keep-alive probe, may go without an answer.
            let userTimeout = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 18))
            try options.setOption(userTimeout, value: Int(patience.nanoseconds / 1_000_000))
            // TCP_KEEPIDLE, in seconds: the silence after which the kernel asks.
            let keepIdle = ChannelOptions.Types.SocketOption(level: .tcp, name: .init(rawValue: 4))
            try options.setOption(keepIdle, value: 30)
        #endif
    }

    func handle(value connection: Connection, logger _: Logger) async {
        // When the client closes its side, or the server is to stop, what waits for messages ends at once; an append
        // under way still gets its answer.
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask(executorPreference: executors[connection.channel.eventLoop]) {
                    await serve(connection)
                }
                for await _ in connection.inputClosed {}
                group.cancelAll()
            }
        } onGracefulShutdown: {
            connection.closeInput()
        }
    }

    private func serve(_ connection: Connection) async {
        while let received = await connection.mailbox.next() {
            let start = NIODeadline.now()
            let response = await handler.respond(to: received.request)
            metrics.record(
                route: response.routeLabel, status: response.status.code,
                duration: .nanoseconds((NIODeadline.now() - start).nanoseconds))
            let wroteAll = await send(response, for: received, on: connection.channel)
            logger.debug(
                "request",
                metadata: [
                    "method": "\(received.request.method)", "target": "\(received.request.target)",
                    "status": "\(response.status.code)",
                ])
            guard wroteAll, received.isKeepAlive else { break }
        }
        // Closing drops what is not written yet, so an answer that nobody waited for is waited for now.
        try? await connection.channel.writeAndFlush(ResponsePiece.part(ByteBuffer())).get()
        try? await connection.channel.close()
        connection.closeInput()
    }

    /// Writes an answer; returns whether the connection can go on.
    private func send(_ response: APIResponse, for received: ReceivedRequest, on channel: any Channel) async -> Bool {
        let encoder = ResponseEncoder(
            version: received.version, isHead: received.request.method == .head, isKeepAlive: received.isKeepAlive)
        let head = encoder.encode(response)
        do {
            guard case .stream(let body) = response.body else {
                // An answer that fits the socket's buffers needs no waiting for; a slow reader is waited for.
                if received.isKeepAlive, channel.isWritable {
                    channel.writeAndFlush(ResponsePiece.last(head), promise: nil)
                } else {
                    try await channel.writeAndFlush(ResponsePiece.last(head)).get()
                }
                return true
            }
            try await channel.writeAndFlush(ResponsePiece.part(head)).get()
            if !encoder.isHead { try await body(ChannelSink(channel: channel, encoder: encoder)) }
            try await channel.writeAndFlush(ResponsePiece.last(encoder.encodeEndOfStream())).get()
            return encoder.isChunked
        } catch {
            return false
        }
    }
}

/// A streamed answer's way to the client.
private struct ChannelSink: ResponseSink {
    let channel: any Channel
    let encoder: ResponseEncoder

    func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await channel.writeAndFlush(ResponsePiece.part(encoder.encode(streamed: bytes))).get()
    }
}
