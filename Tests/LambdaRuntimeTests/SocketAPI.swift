import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A Runtime API on a socket that answers as a test says, and notes what it was sent.
final class SocketAPI: Sendable {
    /// A request as it came.
    struct Request: Sendable {
        var connection: Int
        var method: String
        var path: String
        var headers: HTTPHeaders
        /// The body in the parts in which it came, where it was chunked.
        var body: [UInt8]
        var trailers: HTTPHeaders?
    }

    /// What the API does with a request.
    enum Reaction: Sendable {
        case answer(Int, [(String, String)] = [], String = "")
        /// Never answers.
        case silence
        /// Closes the connection.
        case hangUp
        /// Answers, and then closes the connection without a word of it.
        case answerAndHangUp(Int, [(String, String)] = [], String = "")
    }

    private let state = Mutex((requests: [Request](), connections: 0))
    private let react: @Sendable (Request, Int) -> Reaction
    private let arrivals = AsyncStream<Request>.makeStream()

    private init(react: @escaping @Sendable (Request, Int) -> Reaction) {
        self.react = react
    }

    var requests: [Request] { state.withLock { $0.requests } }

    /// The requests as they come; for one reader.
    var incoming: AsyncStream<Request> { arrivals.stream }

    /// Runs the body with an API whose address it gets; `react` is asked for each request and its number from 0.
    static func with<Value: Sendable>(
        _ react: @escaping @Sendable (Request, Int) -> Reaction, _ body: (SocketAPI, String) async throws -> Value
    ) async throws -> Value {
        let api = SocketAPI(react: react)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = api.state.withLock { state in
                        state.connections += 1
                        return state.connections
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
                    try channel.pipeline.syncOperations.addHandler(Handler(api: api, connection: number))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(api, "127.0.0.1:\(channel.localAddress?.port ?? 0)"))
        } catch {
            result = .failure(error)
        }
        try await channel.close()
        return try result.get()
    }

    private func receive(_ request: Request) -> Reaction {
        let number = state.withLock { state in
            state.requests.append(request)
            return state.requests.count - 1
        }
        arrivals.continuation.yield(request)
        return react(request, number)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let api: SocketAPI
        private let connection: Int
        private var request: Request?

        init(api: SocketAPI, connection: Int) {
            self.api = api
            self.connection = connection
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = Request(
                    connection: connection, method: head.method.rawValue, path: head.uri, headers: head.headers,
                    body: [], trailers: nil)
            case .body(let part):
                request?.body.append(contentsOf: part.readableBytesView)
            case .end(let trailers):
                request?.trailers = trailers
                guard let request else { return }
                perform(api.receive(request), context)
            }
        }

        private func perform(_ reaction: Reaction, _ context: ChannelHandlerContext) {
            switch reaction {
            case .silence: return
            case .hangUp: context.close(promise: nil)
            case .answer(let status, let headers, let body):
                write(status, headers, body, context)
            case .answerAndHangUp(let status, let headers, let body):
                write(status, headers, body, context)
                context.close(promise: nil)
            }
        }

        private func write(
            _ status: Int, _ headers: [(String, String)], _ body: String, _ context: ChannelHandlerContext
        ) {
            var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status))
            head.headers = HTTPHeaders(headers + [("Content-Length", "\(body.utf8.count)")])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
