import HTTPTypes
import NIOCore
import NIOHTTP1
import StreamsHTTP

/// A piece of an answer on its way through the channel.
enum ResponsePiece: Sendable {
    /// Bytes that more of the same answer follow.
    case part(ByteBuffer)
    /// The last bytes of an answer.
    case last(ByteBuffer)
}

/// Writes answers as HTTP/1.1 (RFC 9112): head and body of most of them as one buffer, one write to the socket.
struct ResponseEncoder {
    let version: HTTPVersion
    /// Whether the answer is to HEAD, which gets none of the body.
    let isHead: Bool
    /// Whether the connection stays open afterwards.
    let isKeepAlive: Bool

    /// Whether a streamed answer is sent in chunks; HTTP/1.0 knows none and ends with the connection.
    var isChunked: Bool { version.minor > 0 }

    /// The whole answer, or the head of a streamed one.
    func encode(_ response: APIResponse) -> ByteBuffer {
        var length = 0
        if case .bytes(let bytes) = response.body { length = bytes.count }
        var buffer = ByteBufferAllocator().buffer(capacity: length + 512)
        buffer.writeStaticString("HTTP/1.")
        buffer.writeStaticString(version.minor > 0 ? "1 " : "0 ")
        buffer.writeString(String(response.status.code))
        buffer.writeStaticString(" ")
        buffer.writeString(response.status.reasonPhrase)
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeString(HTTPDate.now())
        for field in response.headers {
            buffer.writeStaticString("\r\n")
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
        }
        if !isKeepAlive {
            buffer.writeStaticString("\r\nConnection: close")
        } else if !isChunked {
            buffer.writeStaticString("\r\nConnection: keep-alive")
        }
        switch response.body {
        case .bytes(let bytes):
            // RFC 9110 section 8.6: no Content-Length on 204.
            if response.status != .noContent {
                buffer.writeStaticString("\r\nContent-Length: ")
                buffer.writeString(String(bytes.count))
            }
            buffer.writeStaticString("\r\n\r\n")
            if !isHead { buffer.writeBytes(bytes) }
        case .stream:
            if isChunked { buffer.writeStaticString("\r\nTransfer-Encoding: chunked") }
            buffer.writeStaticString("\r\n\r\n")
        }
        return buffer
    }

    /// Bytes of a streamed answer, not empty.
    func encode(streamed bytes: [UInt8]) -> ByteBuffer {
        guard isChunked else { return ByteBuffer(bytes: bytes) }
        var buffer = ByteBufferAllocator().buffer(capacity: bytes.count + 16)
        buffer.writeString(String(bytes.count, radix: 16))
        buffer.writeStaticString("\r\n")
        buffer.writeBytes(bytes)
        buffer.writeStaticString("\r\n")
        return buffer
    }

    /// What ends a streamed answer.
    func encodeEndOfStream() -> ByteBuffer {
        isChunked && !isHead ? ByteBuffer(string: "0\r\n\r\n") : ByteBuffer()
    }
}
