import AsyncHTTPClient
import HTTPTypes
import NIOCore
import NIOHTTP1
package import StreamsHTTP
package import StreamsTesting

/// A client of a server on this machine, for the conformance suite: what it is asked to send goes out as it is.
package struct SocketFront: Sendable {
    private let port: Int
    /// What goes before each path: empty, or `/v1`.
    private let stage: String

    /// Makes a client of the server on `port`.
    package init(port: Int, stage: String = "") {
        self.port = port
        self.stage = stage
    }

    /// Sends a request and collects the whole answer.
    package func transport(_ request: APIRequest) async throws -> HTTPAnswer {
        // AsyncHTTPClient may lose an answer that comes while it still sends.
        if request.body.count > 5 * 1024 * 1024 { return try await sendRaw(request) }
        return try await isCarriedExactly(request.target) ? send(request) { _ in false } : sendRaw(request)
    }

    /// Sends a request with AsyncHTTPClient.
    package func send(
        _ request: APIRequest, until isEnough: @escaping HTTPFront.StreamCondition
    ) async throws -> HTTPAnswer {
        var message = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(stage)\(request.target)")
        message.method = HTTPMethod(rawValue: request.method.rawValue)
        for field in request.headers { message.headers.add(name: field.name.rawName, value: field.value) }
        if !request.body.isEmpty { message.body = .bytes(ByteBuffer(bytes: request.body)) }
        let response = try await HTTPClient.shared.execute(message, timeout: .seconds(30))
        var answer = HTTPAnswer(
            status: HTTPResponse.Status(code: Int(response.status.code)), headers: HTTPFields(), body: [])
        for (name, value) in response.headers {
            guard let name = HTTPField.Name(name) else { continue }
            answer.headers.append(HTTPField(name: name, value: value))
        }
        for try await part in response.body {
            answer.body.append(contentsOf: part.readableBytesView)
            if try await isEnough(answer.body) { break }
        }
        return answer
    }

    /// Whether a URL keeps the target as it is: escapes well-formed and of ASCII, no dot segments, no fragment.
    private func isCarriedExactly(_ target: String) -> Bool {
        let isWellFormed = target.wholeMatch(of: #/(?:[A-Za-z0-9._~/?&=:+*,;!$'()@-]|%[0-7][0-9A-Fa-f])*/#) != nil
        let path = target.prefix { $0 != "?" }.split(separator: "/").map { $0.replacing("%2E", with: ".") }
        return isWellFormed && !path.contains { ["." as Substring, "..", "%2e.", "%2e"].contains($0) }
            && !target.hasPrefix("//")
    }

    /// Sends a request whose target no URL can hold.
    private func sendRaw(_ request: APIRequest) async throws -> HTTPAnswer {
        var head = "\(request.method) \(stage)\(request.target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        for field in request.headers { head += "\(field.name): \(field.value)\r\n" }
        head += "Content-Length: \(request.body.count)\r\n\r\n"
        let bytes = Array(head.utf8) + request.body
        return try await RawConnection.open(port) { connection in
            try await connection.send(bytes)
            var received = try await connection.receiveAll()
            return try RawAnswer(takenFrom: &received, isHead: request.method == .head).answer
        }
    }
}
