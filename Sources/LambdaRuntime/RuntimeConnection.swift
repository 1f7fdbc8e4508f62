import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// One connection to the Runtime API; one request at a time.
///
/// No timer watches it: the process may be frozen for hours between a request and its answer.
final class RuntimeConnection: Sendable {
    private let channel: any Channel
    private let collector: AnswerCollector

    private init(channel: any Channel, collector: AnswerCollector) {
        self.channel = channel
        self.collector = collector
    }

    /// Connects.
    static func open(host: String, port: Int, group: any EventLoopGroup) async throws -> RuntimeConnection {
        let collector = AnswerCollector()
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.seconds(5))
            .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(collector)
                }
            }
        // An address of numbers, as it is on Lambda, needs no look-up.
        let channel =
            if let address = try? SocketAddress(ipAddress: host, port: port) {
                try await bootstrap.connect(to: address).get()
            } else {
                try await bootstrap.connect(host: host, port: port).get()
            }
        return RuntimeConnection(channel: channel, collector: collector)
    }

    /// Whether another request can be sent.
    var isUsable: Bool { channel.isActive && collector.isUsable }

    /// Closes; whoever waits for an answer gets an error.
    func close() {
        channel.close(promise: nil)
    }

    /// Sends a request and waits for its answer, however long, or until the task is cancelled.
    func exchange(_ head: HTTPRequestHead, body: [UInt8] = []) async throws -> RuntimeAnswer {
        let answer = begin(head)
        if !body.isEmpty {
            channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        }
        channel.writeAndFlush(HTTPClientRequestPart.end(nil)).whenFailure { self.collector.fail($0) }
        return try await answer.get()
    }

    /// As ``exchange(_:body:)``, and ends with an error when the task is cancelled.
    func cancellableExchange(_ head: HTTPRequestHead) async throws -> RuntimeAnswer {
        try await withTaskCancellationHandler {
            try await exchange(head)
        } onCancel: {
            close()
        }
    }

    // MARK: Streams

    /// Sends the head of a request whose body follows; the future brings the answer.
    func begin(_ head: HTTPRequestHead) -> EventLoopFuture<RuntimeAnswer> {
        let promise = channel.eventLoop.makePromise(of: RuntimeAnswer.self)
        collector.expect(promise)
        channel.writeAndFlush(HTTPClientRequestPart.head(head), promise: nil)
        return promise.futureResult
    }

    /// Sends a part of the body; returns when the socket took it.
    func write(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: bytes)))).get()
    }

    /// Ends the body.
    func end(trailers: HTTPHeaders?) {
        channel.writeAndFlush(HTTPClientRequestPart.end(trailers)).whenFailure { self.collector.fail($0) }
    }
}

/// What the Runtime API said.
struct RuntimeAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]
}

/// Collects the answer to the request under way.
final class AnswerCollector: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPClientResponsePart

    private struct State {
        var promise: EventLoopPromise<RuntimeAnswer>?
        var head: HTTPResponseHead?
        var body: [UInt8] = []
        var isUsable = true
    }

    private struct ConnectionClosed: Error {}

    private let state = Mutex(State())

    var isUsable: Bool { state.withLock { $0.isUsable } }

    /// The next answer is for `promise`; fails it at once where the connection has ended.
    func expect(_ promise: EventLoopPromise<RuntimeAnswer>) {
        let isUsable = state.withLock { state in
            if state.isUsable { state.promise = promise }
            return state.isUsable
        }
        if !isUsable { promise.fail(ConnectionClosed()) }
    }

    /// Ends the request under way with an error, and takes no other.
    func fail(_ error: any Error) {
        let promise = state.withLock { state in
            state.isUsable = false
            return state.promise.take()
        }
        promise?.fail(error)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            state.withLock { $0.head = head }
        case .body(let part):
            state.withLock { $0.body.append(contentsOf: part.readableBytesView) }
        case .end:
            finish()
        }
    }

    private func finish() {
        let (promise, answer) = state.withLock { state -> (EventLoopPromise<RuntimeAnswer>?, RuntimeAnswer?) in
            guard let head = state.head else { return (nil, nil) }
            let answer = RuntimeAnswer(status: Int(head.status.code), headers: head.headers, body: state.body)
            if !head.isKeepAlive { state.isUsable = false }
            state.head = nil
            state.body = []
            return (state.promise.take(), answer)
        }
        if let answer { promise?.succeed(answer) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(ConnectionClosed())
        context.fireChannelInactive()
    }
}
