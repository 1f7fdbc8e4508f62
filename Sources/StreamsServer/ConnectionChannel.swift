import HummingbirdCore
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import StreamsHTTP

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
            let closeInput = { @Sendable () -> Void in continuation.finish() }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(withOutboundHeaderValidation: false)
            try pipeline.addHandler(
                ConnectionHandler(
                    handler: handler, timeouts: timeouts, mailbox: mailbox, onInputClosed: closeInput))
            return Connection(channel: channel, mailbox: mailbox, inputClosed: inputClosed, closeInput: closeInput)
        }
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
            let wroteAll = await send(response, for: received, on: connection.channel)
            metrics.record(response, duration: .nanoseconds((NIODeadline.now() - start).nanoseconds))
            logger.debug(
                "request",
                metadata: [
                    "method": "\(received.request.method)", "target": "\(received.request.target)",
                    "status": "\(response.status.code)",
                ])
            guard wroteAll, received.isKeepAlive else { break }
        }
        try? await connection.channel.close()
        connection.closeInput()
    }

    /// Writes an answer; returns whether the client took all of it.
    private func send(_ response: APIResponse, for received: ReceivedRequest, on channel: any Channel) async -> Bool {
        let isHead = received.request.method == .head
        let parts = ResponseParts(
            response, version: received.version, isHead: isHead, isKeepAlive: received.isKeepAlive
        ).parts
        do {
            guard case .stream(let body) = response.body else {
                for part in parts.dropLast() { channel.write(part, promise: nil) }
                try await channel.writeAndFlush(HTTPServerResponsePart.end(nil)).get()
                return true
            }
            try await channel.writeAndFlush(parts[0]).get()
            if !isHead { try await body(ChannelSink(channel: channel)) }
            try await channel.writeAndFlush(HTTPServerResponsePart.end(nil)).get()
            return true
        } catch {
            return false
        }
    }
}

/// A streamed answer's way to the client.
private struct ChannelSink: ResponseSink {
    let channel: any Channel

    func write(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes)))).get()
    }
}
