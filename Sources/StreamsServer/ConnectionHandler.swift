import DequeModule
import HTTPTypes
import NIOCore
import NIOHTTP1
import StreamsHTTP
import StreamsModel

/// Collects requests on a connection's event loop, keeps their size and pace within bounds, and hands them over whole.
///
/// States: *waiting* → head → *receiving* → end → *waiting*, while requests that were handed over are answered in
/// order. From *receiving* a body that is too large or too slow, and from anywhere what is not HTTP, leads to
/// *refused*: the refusal is written, and the rest is dropped until the connection closes.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ResponsePiece
    typealias OutboundOut = ByteBuffer

    private enum State {
        case waiting
        case receiving(HTTPRequestHead, ByteBuffer)
        case refused
    }

    /// Most requests of one connection that are taken in before the first of them is answered.
    private static let unansweredMaximum = 16
    /// Most bytes of their bodies; one more request may go beyond.
    private static let unansweredBytesMaximum = 1024 * 1024

    private let handler: StreamsHandler
    private let timeouts: ConnectionTimeouts
    private let mailbox: RequestMailbox
    /// Told when the client can get no more answers, or has closed its side; more than once, perhaps.
    private let onInputClosed: @Sendable () -> Void
    private var state = State.waiting
    /// The sizes of the bodies of requests that wait for their answers, in order.
    private var unanswered: Deque<Int> = []
    private var isReading = true
    private var isStreaming = false
    private var deadline: NIODeadline?
    private var deadlineCheck: RepeatedTask?

    init(
        handler: StreamsHandler, timeouts: ConnectionTimeouts, mailbox: RequestMailbox,
        onInputClosed: @escaping @Sendable () -> Void
    ) {
        self.handler = handler
        self.timeouts = timeouts
        self.mailbox = mailbox
        self.onInputClosed = onInputClosed
    }

    // MARK: Life

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = .now() + timeouts.idle
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadlineCheck = context.eventLoop.scheduleRepeatedTask(
            initialDelay: timeouts.checkInterval, delay: timeouts.checkInterval
        ) { _ in
            let (handler, context) = bound.value
            handler.checkDeadline(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadlineCheck?.cancel()
        inputEnded()
    }

    func channelInactive(context: ChannelHandlerContext) {
        inputEnded()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            // What was sent before is still answered.
            inputEnded()
        case is ChannelShouldQuiesceEvent:
            inputEnded()
            // A connection that came too late to be served has nobody else to close it.
            if !mailbox.hasReader { context.close(promise: nil) }
            closeStreamSoon(context)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else { return context.close(promise: nil) }
        // What follows a refused request may be anything.
        if case .refused = state { return }
        let refusal = StreamsError.invalidParameter(
            "request", "This is not a request of HTTP/1.1, or its header is too large.")
        refuse(HTTPRequestHead(version: .http1_1, method: .GET, uri: "/"), context) {
            self.handler.refuse($0, refusal)
        }
        // Nothing more can be read, so no end can be waited for.
        if unanswered.isEmpty { context.close(mode: .output, promise: nil) }
    }

    private func inputEnded() {
        mailbox.finish()
        onInputClosed()
    }

    private func checkDeadline(_ context: ChannelHandlerContext) {
        guard let deadline, deadline <= .now() else { return }
        self.deadline = nil
        guard case .receiving(let head, _) = state else { return context.close(promise: nil) }
        let error = StreamsError(.requestTimeout, "The request did not arrive in time; send it again.")
        refuse(head, context) { self.handler.refuse($0, error) }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let part): append(part, context)
        case .end: end(context)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if case .refused = state { return }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard length <= handler.bodyBytesMaximum else { return refuse(head, context, handler.tooLarge) }
        // In the middle of another answer it could be taken for a part of that; the client then waits no longer than
        // it likes (RFC 9110 section 10.1.1).
        if unanswered.isEmpty, head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            context.writeAndFlush(
                wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
        }
        deadline = .now() + timeouts.request
        state = .receiving(head, ByteBuffer())
    }

    private func append(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .receiving(let head, var body) = state else { return }
        guard body.readableBytes + part.readableBytes <= handler.bodyBytesMaximum else {
            return refuse(head, context, handler.tooLarge)
        }
        // Let go of the state's reference, so that the buffer is extended in place.
        state = .waiting
        if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
        state = .receiving(head, body)
    }

    private func end(_ context: ChannelHandlerContext) {
        // The rest of a refused request was read and dropped: the client is ready for the refusal, and the end.
        if case .refused = state, unanswered.isEmpty { return context.close(promise: nil) }
        guard case .receiving(let head, let body) = state else { return }
        deadline = nil
        state = .waiting
        unanswered.append(body.readableBytes)
        adjustReading(context)
        mailbox.put(
            ReceivedRequest(
                request: Self.request(head, Array(body.readableBytesView)), version: head.version,
                isKeepAlive: head.isKeepAlive))
    }

    private static func request(_ head: HTTPRequestHead, _ body: [UInt8]) -> APIRequest {
        var headers = HTTPFields()
        for (name, value) in head.headers {
            guard let name = HTTPField.Name(name) else { continue }
            headers.append(HTTPField(name: name, value: value))
        }
        // A method that is no token can not get past the parser; what the API does not know it refuses by name.
        let method = HTTPRequest.Method(head.method.rawValue) ?? .trace
        return APIRequest(method: method, target: head.uri, headers: headers, body: body)
    }

    private func refuse(
        _ head: HTTPRequestHead, _ context: ChannelHandlerContext, _ answer: (APIRequest) -> APIResponse
    ) {
        state = .refused
        deadline = nil
        let encoder = ResponseEncoder(version: head.version, isHead: false, isKeepAlive: false)
        let bytes = encoder.encode(answer(Self.request(head, [])))
        // Requests before this one still wait for their answers: then nothing that a client could take for one of
        // theirs may be written.
        if unanswered.isEmpty {
            context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        } else {
            // The connection's task answers those, and then closes.
            mailbox.finish()
        }
        // Closing with unread input would reset the connection, and the client might never see the answer. Nor is the
        // sending side closed at once: many clients look at an answer only after they have sent their request.
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timeouts.linger) { bound.value.close(promise: nil) }
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes: ByteBuffer
        switch unwrapOutboundIn(data) {
        case .part(let part):
            bytes = part
        case .last(let part):
            bytes = part
            unanswered.removeFirst()
            adjustReading(context)
        }
        if case .part = unwrapOutboundIn(data) { isStreaming = true } else { isStreaming = false }
        if case .waiting = state { deadline = .now() + timeouts.write }
        let written = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenSuccess { bound.value.wrote() }
        context.write(wrapOutboundOut(bytes), promise: written)
    }

    /// Stops reading while much is unanswered, so that a connection holds a bounded part of what a client sends ahead.
    private func adjustReading(_ context: ChannelHandlerContext) {
        let mayRead =
            unanswered.count < Self.unansweredMaximum
            && (unanswered.count < 2 || unanswered.reduce(0, +) < Self.unansweredBytesMaximum)
        guard mayRead != isReading else { return }
        isReading = mayRead
        context.channel.setOption(.autoRead, value: mayRead).whenFailure { _ in }
    }

    /// Gives a streamed answer a moment to end in order when the server stops: a client that does not read would hold
    /// the stop up otherwise.
    private func closeStreamSoon(_ context: ChannelHandlerContext) {
        guard isStreaming else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timeouts.linger) {
            let (handler, context) = bound.value
            if handler.isStreaming { context.close(promise: nil) }
        }
    }

    private func wrote() {
        guard case .waiting = state else { return }
        deadline = unanswered.isEmpty ? .now() + timeouts.idle : nil
    }
}
