import HTTPTypes
import NIOCore
import NIOHTTP1
import StreamsHTTP

/// An answer of known length, or the head of a streamed one, as the parts of HTTP/1.
struct ResponseParts {
    /// The parts in order; of a stream, the head alone.
    let parts: [HTTPServerResponsePart]

    init(_ response: APIResponse, version: HTTPVersion, isHead: Bool, isKeepAlive: Bool) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(response.headers.count + 3)
        for field in response.headers { headers.add(name: field.name.rawName, value: field.value) }
        headers.add(name: "Date", value: HTTPDate.now())
        if !isKeepAlive {
            headers.add(name: "Connection", value: "close")
        } else if version.minor == 0 {
            headers.add(name: "Connection", value: "keep-alive")
        }
        var parts: [HTTPServerResponsePart] = []
        let status = HTTPResponseStatus(statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase)
        switch response.body {
        case .bytes(let bytes):
            // RFC 9110 section 8.6: no Content-Length on 204.
            if response.status != .noContent { headers.add(name: "Content-Length", value: String(bytes.count)) }
            parts.append(.head(HTTPResponseHead(version: version, status: status, headers: headers)))
            if !isHead, !bytes.isEmpty { parts.append(.body(.byteBuffer(ByteBuffer(bytes: bytes)))) }
            parts.append(.end(nil))
        case .stream:
            parts.append(.head(HTTPResponseHead(version: version, status: status, headers: headers)))
        }
        self.parts = parts
    }
}
