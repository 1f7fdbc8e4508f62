import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `GET /topics/{topic}/consume` as server-sent events: an event a message, whose id is the message's offset.
    ///
    /// The format is that of the HTML standard, section 9.2. Ends with the client, the server, the caller's deadline, or
    /// an error, which is its last event; where ``Configuration/endsEventStreams`` says so, also at the end of the topic.
    func events(_ request: APIRequest, _ read: ReadRequest) async throws(StreamsError) -> APIResponse {
        var read = read
        if let lastEventID = request.headers[.lastEventID] {
            guard let number = QueryParameters.decimal(lastEventID), let offset = Offset(Int64(number)),
                offset.rawValue < .max
            else {
                throw .invalidParameter("Last-Event-ID", "'Last-Event-ID' is the offset of the last event received.")
            }
            read.start = .offset(offset.advanced(by: 1))
        }
        read.limit = 1000
        // The first look decides between an answer of its own (trimmed, beyond the end) and a stream.
        read.wait = .zero
        let first = try await log.read(read)
        let headers: HTTPFields = [
            .contentType: MediaType.eventStream.rawValue, .cacheControl: "no-store",
            // Tells nginx and its like not to collect the stream before they pass it on.
            HTTPField.Name(token: "X-Accel-Buffering"): "no",
        ]
        let stream = EventStream(
            log: log, read: read, first: first, heartbeat: configuration.eventStreamHeartbeat,
            endsWithTopic: configuration.endsEventStreams)
        return APIResponse(status: .ok, headers: headers, body: .stream { try await stream.run(into: $0) })
    }
}

/// One client's stream of events.
private struct EventStream: Sendable {
    let log: Log
    let read: ReadRequest
    let first: ReadPage
    let heartbeat: Duration
    /// Whether it ends where there is nothing more to read, instead of waiting.
    let endsWithTopic: Bool

    func run(into sink: any ResponseSink) async throws {
        try await sink.write(Array(": connected\n\n".utf8))
        var page = first
        while true {
            if !page.slices.isEmpty { try await sink.write(Self.events(page)) }
            if log.isClosed || Task.isCancelled { return }
            if log.isPastDeadline || endsWithTopic && page.slices.isEmpty {
                return try await sink.write(Self.farewell(next: page.next))
            }
            var next = read
            next.start = .offset(page.next)
            next.wait = endsWithTopic ? .zero : heartbeat
            do throws(StreamsError) {
                page = try await log.read(next)
            } catch {
                return try await sink.write(Self.problem(error))
            }
            let isSilent = page.slices.isEmpty && !endsWithTopic && !log.isPastDeadline
            if isSilent { try await sink.write(Array(": keep-alive\n\n".utf8)) }
        }
    }

    private static func events(_ page: ReadPage) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(page.slices.reduce(0) { $0 + $1.bytes.count + $1.range.offsetCount * 32 })
        for slice in page.slices {
            var offset = slice.range.lowerBound
            for line in slice.body[slice.bytes].split(separator: UInt8(ascii: "\n")) {
                bytes.append(contentsOf: "id: \(offset)\ndata: ".utf8)
                bytes.append(contentsOf: line)
                bytes.append(contentsOf: "\n\n".utf8)
                offset = offset.advanced(by: 1)
            }
        }
        return bytes
    }

    /// The last lines of a stream that ends by itself: come back soon, and go on here.
    ///
    /// An event without data is none to a page, but the browser keeps its id for the next request (HTML standard,
    /// section 9.2.6). Offset 0 is no id that the API takes.
    private static func farewell(next: Offset) -> [UInt8] {
        let last = next.rawValue - 1
        return Array((last > 0 ? "retry: 1000\nid: \(last)\n\n" : "retry: 1000\n\n").utf8)
    }

    private static func problem(_ error: StreamsError) -> [UInt8] {
        Array("event: problem\ndata: ".utf8) + ProblemDocument.encode(error) + Array("\n\n".utf8)
    }
}
