package import NIOCore
package import NIOHTTP1

/// Sends one HTTP request and collects its answer: no retries, no redirects.
package protocol AWSTransport: Sendable {
    /// Sends a request.
    ///
    /// - Throws: when there is no whole answer within `timeout`, from the call to the last byte of the body.
    func send(_ request: AWSTransportRequest, timeout: Duration) async throws(AWSTransportFailure) -> AWSTransportAnswer
}

/// A request, ready to be sent.
package struct AWSTransportRequest: Sendable {
    /// The method.
    package var method: HTTPMethod
    /// The whole URL, percent-encoded.
    package var url: String
    /// The headers; `Content-Length` is added.
    package var headers: [(name: String, value: String)]
    /// The body.
    package var body: ByteBuffer?

    /// Makes a request.
    package init(method: HTTPMethod, url: String, headers: [(name: String, value: String)], body: ByteBuffer? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// A whole answer.
package struct AWSTransportAnswer: Sendable {
    /// The HTTP status.
    package var status: Int
    /// The headers.
    package var headers: HTTPHeaders
    /// The body.
    package var body: [UInt8]

    /// Makes an answer.
    package init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// AWS's id of the request, which AWS and its stand-ins put into every answer, and nothing else on the way does.
    package var requestID: String? {
        headers.first(name: "x-amz-request-id") ?? headers.first(name: "x-amzn-requestid")
    }
}

/// Why there is no whole answer.
package struct AWSTransportFailure: Error, Sendable {
    /// What happened.
    package enum Kind: Sendable, Equatable {
        /// There was no connection to be had.
        case notConnected
        /// The connection broke, or what came over it was not HTTP.
        case connectionClosed
        /// Time was up.
        case timedOut
        /// The calling task was cancelled.
        case cancelled
        /// The request cannot be sent as it is.
        case unsendable
    }

    /// What happened.
    package var kind: Kind
    /// Whether any part of the request may have left this process.
    package var isSent: Bool
    /// The cause, in words.
    package var cause: String

    /// Makes a failure.
    package init(_ kind: Kind, isSent: Bool, cause: String) {
        self.kind = kind
        self.isSent = isSent
        self.cause = cause
    }
}
