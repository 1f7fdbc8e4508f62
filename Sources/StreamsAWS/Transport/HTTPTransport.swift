import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

/// Sends requests with AsyncHTTPClient, over connections that are kept for the next request.
///
/// Safe for any number of tasks. After a process was frozen (Lambda does that between invocations) its connections are
/// found closed: such a request fails with `connectionClosed`, and the next try opens a new connection.
package struct HTTPTransport: AWSTransport {
    /// The one of the process; it is never shut down.
    package static let shared = HTTPTransport()

    private let client: HTTPClient

    /// How many requests to one host can be under way; others wait for a connection.
    private static let connectionsPerHost = 64
    /// S3 closes connections that are idle for about 20 seconds; ours go before, so that no request meets the end of one.
    private static let idleTime = TimeAmount.seconds(12)
    /// The time for name look-up, TCP and TLS: what the AWS SDKs' standard mode takes, enough for another continent.
    private static let connectTime = TimeAmount.milliseconds(3100)

    private init() {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow, decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.timeout.connect = Self.connectTime
        configuration.connectionPool.idleTimeout = Self.idleTime
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connectionsPerHost
        // A server that is not there is reported at once: retries are ours to decide.
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func send(
        _ request: AWSTransportRequest, timeout: Duration
    ) async throws(AWSTransportFailure) -> AWSTransportAnswer {
        let collector = AnswerCollector(method: request.method)
        do {
            let prepared = try HTTPClient.Request(
                url: request.url, method: request.method,
                headers: HTTPHeaders(request.headers.map { ($0.name, $0.value) }),
                body: request.body.map { .byteBuffer($0) })
            let deadline = NIODeadline.now() + .nanoseconds(timeout.wholeNanoseconds)
            let task = client.execute(request: prepared, delegate: collector, deadline: deadline)
            return try await withTaskCancellationHandler {
                try await task.futureResult.get()
            } onCancel: {
                task.fail(reason: HTTPClientError.cancelled)
            }
        } catch {
            throw Self.failure(error, isSent: collector.isSent)
        }
    }

    private static func failure(_ error: any Error, isSent: Bool) -> AWSTransportFailure {
        let cause = "\(error)"
        if error is CancellationError { return AWSTransportFailure(.cancelled, isSent: isSent, cause: cause) }
        if case CollectError.tooLarge = error { return AWSTransportFailure(.unsendable, isSent: isSent, cause: cause) }
        guard let error = error as? HTTPClientError else {
            return AWSTransportFailure(isSent ? .connectionClosed : .notConnected, isSent: isSent, cause: cause)
        }
        switch error {
        case .cancelled: return AWSTransportFailure(.cancelled, isSent: isSent, cause: cause)
        case .deadlineExceeded, .readTimeout, .writeTimeout:
            return AWSTransportFailure(.timedOut, isSent: isSent, cause: "no answer in time")
        case .invalidURL, .emptyHost, .emptyScheme:
            return AWSTransportFailure(.unsendable, isSent: false, cause: cause)
        default:
            // The error shows the values, and one of them is the session token.
            if cause.contains("invalidHeaderField") {
                return AWSTransportFailure(
                    .unsendable, isSent: false, cause: "a header has characters that HTTP forbids")
            }
            return AWSTransportFailure(isSent ? .connectionClosed : .notConnected, isSent: isSent, cause: cause)
        }
    }
}

extension Duration {
    /// The duration in nanoseconds, at most about 292 years.
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ attoseconds / 1_000_000_000
    }
}
