import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP server on a free port of this machine, which answers as a test says, or breaks off.
final class LocalServer: Sendable {
    /// What becomes of a request.
    enum Reaction: Sendable {
        case answer(Int, body: String)
        /// A head that announces more bytes than come before the connection is closed.
        case cut(announced: Int, body: String)
        /// The connection is closed without an answer.
        case close
        /// An answer, after which the connection is closed without having said so.
        case answerAndClose(Int, body: String)
        /// Nothing, ever.
        case nothing
    }

    typealias Handler = @Sendable (HTTPRequestHead) -> Reaction

    private let channel: any Channel
    private let noted: Noted

    var requests: [HTTPRequestHead] { noted.requests.withLock { $0 } }

    /// How many connections it has had.
    var connectionCount: Int { noted.channels.withLock { $0.count } }

    /// Where it listens, such as `http://127.0.0.1:40001`.
    var url: String { "http://127.0.0.1:\(channel.localAddress?.port ?? 0)" }

    private init(channel: any Channel, noted: Noted) {
        self.channel = channel
        self.noted = noted
    }

    static func start(_ handler: @escaping Handler) async throws -> LocalServer {
        let noted = Noted()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
                    try channel.pipeline.syncOperations.addHandler(Reactor(handler, noted))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return LocalServer(channel: channel, noted: noted)
    }

    func stop() async throws {
        try await channel.close().get()
        for child in noted.channels.withLock({ $0 }) { child.close(promise: nil) }
    }

    private final class Noted: Sendable {
        let requests = Mutex<[HTTPRequestHead]>([])
        let channels = Mutex<[any Channel]>([])
    }

    private final class Reactor: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let handler: Handler
        private let noted: Noted
        private var head: HTTPRequestHead?

        init(_ handler: @escaping Handler, _ noted: Noted) {
            self.handler = handler
            self.noted = noted
        }

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            noted.channels.withLock { $0.append(channel) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end:
                guard let head else { return }
                noted.requests.withLock { $0.append(head) }
                react(handler(head), context)
            }
        }

        private func react(_ reaction: Reaction, _ context: ChannelHandlerContext) {
            switch reaction {
            case .answer(let status, let body): write(status, body.utf8.count, body, context)
            case .answerAndClose(let status, let body):
                write(status, body.utf8.count, body, context)
                context.close(promise: nil)
            case .cut(let announced, let body):
                write(200, announced, body, context)
                context.close(promise: nil)
            case .close: context.close(promise: nil)
            case .nothing: break
            }
        }

        private func write(_ status: Int, _ announced: Int, _ body: String, _ context: ChannelHandlerContext) {
            let head = HTTPResponseHead(
                version: .http1_1, status: HTTPResponseStatus(statusCode: status),
                headers: ["content-length": "\(announced)", "etag": "\"e\""])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            guard announced == body.utf8.count else { return context.flush() }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
