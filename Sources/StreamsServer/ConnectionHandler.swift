import HTTPTypes
import NIOCore
import NIOHTTP1
import StreamsHTTP
import StreamsModel

/// Collects requests on a connection's event loop, keeps their size and pace within bounds, and hands them over whole.
///
/// States: *idle* → head → *receiving* → end → *answering* → the answer's end is written → *idle*. From *receiving* a
/// body that is too large or too slow leads to *refused*: the refusal is written, and the rest is dropped until the
/// connection closes.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        case receiving(HTTPRequestHead, ByteBuffer)
        case answering
        case refused
    }

    private let handler: StreamsHandler
    private let timeouts: ConnectionTimeouts
    private let mailbox: RequestMailbox
    /// Told once when the client can get no more answers, or has closed its side.
    private let onInputClosed: @Sendable () -> Void
    private var state = State.idle
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
        if case ChannelEvent.inputClosed = event {
            inputEnded()
            if case .answering = state { return }
            context.close(promise: nil)
            return
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func inputEnded() {
        mailbox.finish()
        onInputClosed()
    }

    private func checkDeadline(_ context: ChannelHandlerContext) {
        guard let deadline, deadline <= .now() else { return }
        self.deadline = nil
        guard case .receiving(let head, _) = state else {
            context.close(promise: nil)
            return
        }
        let error = StreamsError(.requestTimeout, "The request did not arrive in time; send it again.")
        refuse(head, context) { self.handler.refuse($0, error) }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let part): append(part, context)
        case .end: end()
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        guard length <= handler.bodyBytesMaximum else { return refuse(head, context, handler.tooLarge) }
        if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))))
                .whenFailure { _ in }
        }
        deadline = .now() + timeouts.request
        state = .receiving(head, context.channel.allocator.buffer(capacity: length))
    }

    private func append(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .receiving(let head, var body) = state else { return }
        guard body.readableBytes + part.readableBytes <= handler.bodyBytesMaximum else {
            return refuse(head, context, handler.tooLarge)
        }
        // Let go of the state's reference, so that the buffer is extended in place.
        state = .idle
        if body.readableBytes == 0 { body = part } else { body.writeImmutableBuffer(part) }
        state = .receiving(head, body)
    }

    private func end() {
        guard case .receiving(let head, let body) = state else { return }
        deadline = nil
        state = .answering
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
        let response = answer(Self.request(head, []))
        for part in ResponseParts(response, version: head.version, isHead: false, isKeepAlive: false).parts {
            context.write(wrapOutboundOut(part), promise: nil)
        }
        context.flush()
        // Closing with unread input would reset the connection, and the client might never see the answer.
        context.close(mode: .output, promise: nil)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: timeouts.linger) { bound.value.close(promise: nil) }
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data), case .answering = state { state = .idle }
        if let promise {
            deadline = .now() + timeouts.write
            let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
            promise.futureResult.whenSuccess { bound.value.wrote() }
        }
        context.write(data, promise: promise)
    }

    private func wrote() {
        switch state {
        case .idle: deadline = .now() + timeouts.idle
        case .answering: deadline = nil
        case .receiving, .refused: break
        }
    }
}
