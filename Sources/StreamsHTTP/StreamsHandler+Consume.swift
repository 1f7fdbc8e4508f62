import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `GET /topics/{topic}/consume`: reads messages in order.
    func consume(
        _ request: APIRequest, from topic: TopicName, _ query: inout QueryParameters
    ) async throws(StreamsError) -> APIResponse {
        let read = try readRequest(topic, &query)
        let mediaType = MediaType.negotiate(
            accept: request.headers[.accept], offered: [.json, .ndjson, .eventStream])
        switch mediaType {
        case .json:
            return page(fitting(try await log.read(read)))
        case .ndjson:
            return lines(fitting(try await log.read(read)))
        case .eventStream:
            return try await events(request, read)
        case nil:
            throw StreamsError(
                .notAcceptable, "Accept application/json, application/x-ndjson or text/event-stream.")
        }
    }

    private func readRequest(
        _ topic: TopicName, _ query: inout QueryParameters
    ) throws(StreamsError) -> ReadRequest {
        let limits = configuration.limits
        let start = try start(&query)
        let limit = try query.integer("limit", in: 1...limits.readMessages) ?? 10
        let bytes = try query.integer("max_bytes", in: 1...limits.readBytes) ?? limits.readBytes
        let wait = try query.seconds("wait", atMost: limits.wait) ?? .zero
        let jumps =
            switch query.text("on_trimmed") {
            case nil, "error": false
            case "earliest": true
            default: throw StreamsError.invalidParameter("on_trimmed", "'on_trimmed' is 'error' or 'earliest'.")
            }
        try query.finish()
        return ReadRequest(
            topic: topic, start: start, limit: limit, bytesMaximum: bytes, wait: wait, jumpsOverTrimmed: jumps)
    }

    private func start(_ query: inout QueryParameters) throws(StreamsError) -> ReadRequest.Start {
        let offset = query.text("offset")
        guard let since = query.text("since") else { return try Self.start(offset: offset ?? "earliest") }
        guard offset == nil else {
            throw .invalidParameter("since", "Give either 'offset' or 'since', not both.")
        }
        if let milliseconds = QueryParameters.decimal(since) {
            return .since(Timestamp(milliseconds: Int64(milliseconds)))
        }
        guard let time = RFC3339.parse(since) else {
            throw .invalidParameter(
                "since", "'since' is milliseconds since 1970 or a time with a zone such as 2026-01-31T12:00:00Z.")
        }
        return .since(time)
    }

    private static func start(offset text: String) throws(StreamsError) -> ReadRequest.Start {
        switch text {
        case "earliest": return .earliest
        case "latest": return .latest
        default:
            guard let number = QueryParameters.decimal(text), let offset = Offset(Int64(number)) else {
                throw .invalidParameter("offset", "'offset' is a number from 1, 'earliest' or 'latest'.")
            }
            return .offset(offset)
        }
    }

    // MARK: Answers

    /// A page cut down to what the front can carry.
    func fitting(_ page: ReadPage) -> ReadPage {
        guard let bound = configuration.escapedPageBytes else { return page }
        return page.fitting(escapedBytes: bound)
    }

    private func page(_ page: ReadPage) -> APIResponse {
        var body = Array(#"{"messages":"#.utf8)
        page.appendMessageArray(to: &body)
        body.append(contentsOf: #","next_offset":\#(page.next),"end_offset":\#(page.end)}"#.utf8)
        var response = APIResponse.json(body)
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func lines(_ page: ReadPage) -> APIResponse {
        var body: [UInt8] = []
        body.reserveCapacity(page.slices.reduce(0) { $0 + $1.bytes.count })
        for slice in page.slices { body.append(contentsOf: slice.body[slice.bytes]) }
        return APIResponse(
            status: .ok,
            headers: [
                .contentType: MediaType.ndjson.rawValue, .cacheControl: "no-store",
                .nextOffset: page.next.description, .endOffset: page.end.description,
            ], body: .bytes(body))
    }
}

extension ReadPage {
    /// The messages as a JSON array.
    var messageArray: [UInt8] {
        var bytes: [UInt8] = []
        appendMessageArray(to: &bytes)
        return bytes
    }

    /// Adds the messages as a JSON array, with room for what follows.
    func appendMessageArray(to body: inout [UInt8]) {
        body.reserveCapacity(body.count + slices.reduce(0) { $0 + $1.bytes.count } + 96)
        body.append(UInt8(ascii: "["))
        let start = body.count
        for slice in slices { body.append(contentsOf: slice.body[slice.bytes]) }
        // JSON text holds no raw line break, so each one ends a message: it becomes the comma between two.
        if !slices.isEmpty { body.removeLast() }
        body.withUnsafeMutableBufferPointer { buffer in
            for index in start..<buffer.count {
                buffer[index] = buffer[index] == UInt8(ascii: "\n") ? UInt8(ascii: ",") : buffer[index]
            }
        }
        body.append(UInt8(ascii: "]"))
    }
}

extension HTTPField.Name {
    /// Where a reader goes on, on NDJSON answers.
    static let nextOffset = HTTPField.Name(token: "Next-Offset")
    /// The log end offset, on NDJSON answers.
    static let endOffset = HTTPField.Name(token: "End-Offset")
    /// The id of the last event that a browser saw, sent when it reconnects.
    static let lastEventID = HTTPField.Name(token: "Last-Event-ID")

    init(token name: StaticString) {
        guard let field = HTTPField.Name("\(name)") else { preconditionFailure("a field name is a token") }
        self = field
    }
}
