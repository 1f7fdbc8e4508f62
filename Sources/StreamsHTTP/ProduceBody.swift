import StreamsAPI
import StreamsCore
import StreamsModel

/// What a produce request carries.
struct ProduceBody {
    /// The messages.
    var batch: MessageBatch
    /// Whether the request was of the form for one message, which is answered differently.
    var isSingle: Bool

    /// Reads a body.
    ///
    /// - Throws: `body_required`, `invalid_json`, `invalid_parameter`, `too_large`.
    init(_ bytes: [UInt8], mediaType: MediaType, limits: Limits) throws(StreamsError) {
        guard !bytes.isEmpty else {
            throw StreamsError(.bodyRequired, #"Send a body, such as {"payload": 1}."#)
        }
        var parser = ProduceBodyParser(limits: limits, end: bytes.count)
        switch mediaType {
        case .ndjson:
            try parser.passLines(of: bytes)
            isSingle = false
        case .json, .eventStream:
            try parser.passEnvelope(of: bytes.span)
            isSingle = parser.isSingle
        }
        batch = MessageBatch(bytes: bytes, messages: parser.messages)
    }
}

/// Finds the messages in a body.
///
/// What is not JSON is reported before what has the wrong shape, wherever either stands.
private struct ProduceBodyParser {
    let limits: Limits
    private(set) var messages: [MessageBatch.Spans] = []
    private(set) var isSingle = false
    private var scanner: JSONScanner
    private var shapeError: StreamsError?

    init(limits: Limits, end: Int) {
        self.limits = limits
        self.scanner = JSONScanner(end: end, nestingMaximum: limits.jsonNesting)
    }

    // MARK: application/x-ndjson

    mutating func passLines(of bytes: [UInt8]) throws(StreamsError) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            scanner = JSONScanner(start: start, end: end, nestingMaximum: limits.jsonNesting)
            if scanner.peek(in: bytes.span) != nil {
                // A line may hold carriage returns, which end a line for readers of server-sent events.
                let (payload, hasLineBreak) = try scan { (scanner) throws(JSONScanner.Failure) in
                    let payload = try scanner.value(in: bytes.span)
                    let hasLineBreak = scanner.sawLineBreak
                    try scanner.finish(in: bytes.span)
                    return (payload, hasLineBreak)
                }
                try add(MessageBatch.Spans(payload: payload, hasLineBreak: hasLineBreak))
            }
            start = end + 1
        }
        guard !messages.isEmpty else { throw .invalidParameter("body", "The body holds no line with a JSON value.") }
        if let shapeError { throw shapeError }
    }

    // MARK: application/json

    mutating func passEnvelope(of bytes: Span<UInt8>) throws(StreamsError) {
        if scanner.peek(in: bytes) == UInt8(ascii: "{") {
            let members = try passMembers(of: bytes, isEnvelope: true)
            if members.hasMessages {
                if members.spans != nil || members.hasKeyOrHeaders {
                    note("messages", "'messages' stands alone; 'payload', 'key' and 'headers' go into its items.")
                }
                if messages.isEmpty { note("messages", "'messages' holds at least one message.") }
            } else if let spans = members.spans {
                isSingle = true
                try add(spans)
            } else {
                note("payload", #"A message needs a 'payload'; a batch is {"messages": [{"payload": …}, …]}."#)
            }
        } else {
            _ = try scan { (scanner) throws(JSONScanner.Failure) in try scanner.value(in: bytes) }
            note("body", #"The body is an object: {"payload": …} or {"messages": [{"payload": …}, …]}."#)
        }
        try scan { (scanner) throws(JSONScanner.Failure) in try scanner.finish(in: bytes) }
        if let shapeError { throw shapeError }
    }

    /// What the members of an object came to.
    private struct Members {
        var payload: Range<Int>?
        var key: Range<Int>?
        var headers: Range<Int>?
        var hasMessages = false
        var hasLineBreak = false

        var hasKeyOrHeaders: Bool { key != nil || headers != nil }

        var spans: MessageBatch.Spans? {
            payload.map {
                MessageBatch.Spans(payload: $0, key: key, headers: headers, hasLineBreak: hasLineBreak)
            }
        }
    }

    private mutating func passMembers(of bytes: Span<UInt8>, isEnvelope: Bool) throws(StreamsError) -> Members {
        var members = Members()
        _ = scanner.accept(UInt8(ascii: "{"), in: bytes)
        if scanner.accept(UInt8(ascii: "}"), in: bytes) { return members }
        repeat {
            let name = try scan { (scanner) throws(JSONScanner.Failure) in
                let name = try scanner.string(in: bytes)
                guard scanner.accept(UInt8(ascii: ":"), in: bytes) else { throw scanner.failure("expected ':'") }
                return name
            }
            try passMember(name, of: bytes, isEnvelope: isEnvelope, into: &members)
        } while scanner.accept(UInt8(ascii: ","), in: bytes)
        guard scanner.accept(UInt8(ascii: "}"), in: bytes) else {
            throw StreamsError(scanner.failure("expected ',' or '}'"), limits)
        }
        return members
    }

    private mutating func passMember(
        _ name: Range<Int>, of bytes: Span<UInt8>, isEnvelope: Bool, into members: inout Members
    ) throws(StreamsError) {
        if isEnvelope, JSONText.equals(name, "messages", in: bytes) {
            if members.hasMessages { note("messages", "'messages' is given twice.") }
            members.hasMessages = true
            return try passMessages(of: bytes)
        }
        let value = try scan { (scanner) throws(JSONScanner.Failure) in try scanner.value(in: bytes) }
        members.hasLineBreak = members.hasLineBreak || scanner.sawLineBreak
        if JSONText.equals(name, "payload", in: bytes) {
            if members.payload != nil { note("payload", "'payload' is given twice.") }
            members.payload = value
        } else if JSONText.equals(name, "key", in: bytes) {
            if members.key != nil { note("key", "'key' is given twice.") }
            members.key = value
            checkKey(value, of: bytes)
        } else if JSONText.equals(name, "headers", in: bytes) {
            if members.headers != nil { note("headers", "'headers' is given twice.") }
            members.headers = value
            checkHeaders(value, of: bytes)
        } else {
            note(.unknownMember(JSONText.decode(name, in: bytes)))
        }
    }

    private mutating func passMessages(of bytes: Span<UInt8>) throws(StreamsError) {
        guard scanner.accept(UInt8(ascii: "["), in: bytes) else {
            _ = try scan { (scanner) throws(JSONScanner.Failure) in try scanner.value(in: bytes) }
            return note("messages", "'messages' is an array of messages.")
        }
        if scanner.accept(UInt8(ascii: "]"), in: bytes) { return }
        repeat {
            guard scanner.peek(in: bytes) == UInt8(ascii: "{") else {
                _ = try scan { (scanner) throws(JSONScanner.Failure) in try scanner.value(in: bytes) }
                note("messages", #"Each item of 'messages' is an object: {"payload": …}."#)
                continue
            }
            if let spans = try passMembers(of: bytes, isEnvelope: false).spans {
                try add(spans)
            } else {
                note("payload", "Each item of 'messages' needs a 'payload'.")
            }
        } while scanner.accept(UInt8(ascii: ","), in: bytes)
        guard scanner.accept(UInt8(ascii: "]"), in: bytes) else {
            throw StreamsError(scanner.failure("expected ',' or ']'"), limits)
        }
    }

    // MARK: Checks

    private mutating func checkKey(_ value: Range<Int>, of bytes: Span<UInt8>) {
        guard bytes[value.lowerBound] == UInt8(ascii: "\"") else { return note("key", "'key' is a string.") }
        // What is sent is never shorter than what it stands for.
        if value.count - 2 > limits.keyBytes, JSONText.decodedByteCount(value, in: bytes) > limits.keyBytes {
            note(.tooLarge(limit: "key", value: limits.keyBytes, "A key has at most \(limits.keyBytes) bytes."))
        }
    }

    private mutating func checkHeaders(_ value: Range<Int>, of bytes: Span<UInt8>) {
        if value.count > limits.headersBytes {
            note(
                .tooLarge(
                    limit: "headers", value: limits.headersBytes,
                    "The headers of a message have at most \(limits.headersBytes) bytes in all."))
        }
        guard Self.isObjectOfStrings(value, in: bytes) else {
            return note("headers", "'headers' is an object whose values are strings.")
        }
    }

    private static func isObjectOfStrings(_ value: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        var inner = JSONScanner(start: value.lowerBound, end: value.upperBound, nestingMaximum: 1)
        guard inner.accept(UInt8(ascii: "{"), in: bytes) else { return false }
        if inner.accept(UInt8(ascii: "}"), in: bytes) { return true }
        repeat {
            guard (try? inner.string(in: bytes)) != nil, inner.accept(UInt8(ascii: ":"), in: bytes),
                (try? inner.string(in: bytes)) != nil
            else { return false }
        } while inner.accept(UInt8(ascii: ","), in: bytes)
        return true
    }

    private mutating func add(_ spans: MessageBatch.Spans) throws(StreamsError) {
        guard spans.byteCount <= limits.messageBytes else {
            throw .tooLarge(
                limit: "message", value: limits.messageBytes,
                "A message has at most \(limits.messageBytes) bytes; this one has \(spans.byteCount).")
        }
        guard messages.count < limits.batchMessages else {
            throw .tooLarge(
                limit: "batch", value: limits.batchMessages,
                "A request has at most \(limits.batchMessages) messages; send the rest in the next one.")
        }
        messages.append(spans)
    }

    private mutating func note(_ member: String, _ detail: String) {
        note(.invalidParameter(member, detail))
    }

    private mutating func note(_ error: StreamsError) {
        if shapeError == nil { shapeError = error }
    }

    private mutating func scan<Value>(
        _ body: (inout JSONScanner) throws(JSONScanner.Failure) -> Value
    ) throws(StreamsError) -> Value {
        do {
            return try body(&scanner)
        } catch {
            throw StreamsError(error, limits)
        }
    }
}
