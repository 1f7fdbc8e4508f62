import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Collects an answer into one array, and notes whether the request began to go out.
final class AnswerCollector: HTTPClientResponseDelegate {
    typealias Response = AWSTransportAnswer

    private struct State {
        var isSent = false
        var head: HTTPResponseHead?
        var body: [UInt8] = []
    }

    private let isHead: Bool
    private let state = Mutex(State())

    /// The largest answer that is collected: far above a segment, far below what would bring the process down.
    private static let bodyBytesMaximum = 64 * 1024 * 1024

    init(method: HTTPMethod) {
        isHead = method == .HEAD
    }

    /// Whether any part of the request may have left this process.
    var isSent: Bool { state.withLock { $0.isSent } }

    func didSendRequestHead(task: HTTPClient.Task<AWSTransportAnswer>, _ head: HTTPRequestHead) {
        state.withLock { $0.isSent = true }
    }

    func didReceiveHead(task: HTTPClient.Task<AWSTransportAnswer>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        state.withLock { state in
            state.isSent = true
            state.head = head
            if !isHead, announced > 0 { state.body.reserveCapacity(min(announced, Self.bodyBytesMaximum)) }
        }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<AWSTransportAnswer>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        let fits = state.withLock { state in
            guard state.body.count + buffer.readableBytes <= Self.bodyBytesMaximum else { return false }
            state.body.append(contentsOf: buffer.readableBytesView)
            return true
        }
        return fits ? task.eventLoop.makeSucceededVoidFuture() : task.eventLoop.makeFailedFuture(CollectError.tooLarge)
    }

    func didFinishRequest(task: HTTPClient.Task<AWSTransportAnswer>) throws -> AWSTransportAnswer {
        try state.withLock { state in
            guard let head = state.head else { throw CollectError.noHead }
            let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) }
            if !isHead, let announced, announced != state.body.count {
                throw CollectError.cut(bytes: state.body.count, of: announced)
            }
            return AWSTransportAnswer(status: Int(head.status.code), headers: head.headers, body: state.body)
        }
    }
}

/// Why an answer could not be collected.
enum CollectError: Error {
    case noHead
    case tooLarge
    case cut(bytes: Int, of: Int)
}
