import StreamsCore
import Testing

/// A message as a test writes it: JSON texts.
struct MessageText: Sendable {
    var payload: String
    var key: String?
    var headers: String?

    init(_ payload: String, key: String? = nil, headers: String? = nil) {
        self.payload = payload
        self.key = key
        self.headers = headers
    }
}

extension MessageBatch {
    /// A batch of these messages, as a front would have cut it out of a request.
    static func of(_ messages: [MessageText]) throws -> MessageBatch {
        var bytes = Array("[".utf8)
        var spans: [Spans] = []
        for message in messages {
            var hasLineBreak = false
            func add(_ text: String) throws -> Range<Int> {
                let start = bytes.count
                bytes += Array(text.utf8)
                let scanner = TextScanner(bytes, in: start..<bytes.count)
                let span = try scanner.value().get()
                hasLineBreak = hasLineBreak || scanner.scanner.sawLineBreak
                try #require(span.upperBound == bytes.count)
                bytes.append(UInt8(ascii: ","))
                return span
            }
            let payload = try add(message.payload)
            let key = try message.key.map(add)
            let headers = try message.headers.map(add)
            spans.append(Spans(payload: payload, key: key, headers: headers, hasLineBreak: hasLineBreak))
        }
        return MessageBatch(bytes: bytes, messages: spans)
    }

    /// A batch of messages without keys and headers.
    static func of(_ payloads: String...) throws -> MessageBatch {
        try of(payloads.map { MessageText($0) })
    }
}
