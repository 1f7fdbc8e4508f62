import ArgumentParser
import Foundation
import StreamsClient
import StreamsCore
import StreamsModel

/// `streams consume`: writes a topic's messages to standard output.
struct ConsumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consume",
        abstract: "Write a topic's messages to standard output, one a line.",
        discussion: """
            Without --follow it stops at the end that the topic has when it starts.

              streams consume orders --limit 5
              streams consume orders --follow | jq .

            With --group it goes on where the group is, and commits what it has written. One consumer of a group at a \
            time gets messages; when it is gone, another one takes over. Ctrl-C gives the lease up.

              streams consume orders --group billing --follow
            """)

    @Argument(help: "The topic.", transform: TopicName.init)
    var topic: TopicName

    @Option(help: "Where to begin: an offset, 'earliest' (default) or 'latest'.")
    var offset: String?

    @Option(help: "Where to begin: a time such as 2026-01-31T12:00:00Z, or milliseconds since 1970.")
    var since: String?

    @Option(help: "Stop after this many messages.")
    var limit: Int?

    @Flag(name: .shortAndLong, help: "Go on with new messages as they come.")
    var follow = false

    @Flag(help: "Write whole messages (offset, payload, timestamp, key, headers) instead of payloads.")
    var messages = false

    @Option(help: "Consume as one of this consumer group.", transform: GroupName.init)
    var group: GroupName?

    @Option(help: "The consumer's name in the group, which no other has (default: one of its own each time).")
    var consumer: String?

    @Option(help: "For how many seconds a consumer that is gone keeps the group (default 30).")
    var leaseSeconds: Int?

    @OptionGroup var options: ClientOptions

    func validate() throws {
        if offset != nil, since != nil { throw ValidationError("Give either --offset or --since, not both.") }
        if group != nil, offset != nil || since != nil {
            throw ValidationError(
                "A group has its own place: use 'streams groups seek' instead of --offset or --since.")
        }
        if group == nil, consumer != nil || leaseSeconds != nil {
            throw ValidationError("--consumer and --lease-seconds belong to --group.")
        }
        if let limit, limit < 1 { throw ValidationError("--limit is at least 1.") }
    }

    func run() async throws {
        let client = try options.client()
        try await reportingErrors {
            guard let group else { return try await consume(client) }
            let showsMessages = messages
            try await GroupConsumer(
                client: client, topic: topic, group: group, consumer: consumer ?? "streams-\(UUID().uuidString)",
                leaseSeconds: leaseSeconds ?? 30, limit: limit, follows: follow,
                format: { showsMessages ? $0 : Self.payloads($0) }
            ).run()
        }
    }

    private func consume(_ client: StreamsClient) async throws {
        var position = since.map { (name: "since", value: $0) } ?? (name: "offset", value: offset ?? "earliest")
        var remaining = limit ?? .max
        var stop: Int64?
        var connection = Reconnection(isAllowed: follow)
        while remaining > 0 {
            let wait = follow && stop == nil && position.name == "offset" ? 20 : 0
            let lines: StreamsClient.Lines
            do throws(StreamsError) {
                lines = try await client.consume(
                    topic,
                    query: [position, ("limit", String(min(remaining, 1000))), ("wait", String(wait))],
                    wait: .seconds(wait))
                connection.succeeded()
            } catch {
                try await connection.failed(error)
                continue
            }
            Terminal.output(messages ? lines.bytes : Self.payloads(lines.bytes))
            remaining -= lines.bytes.count { $0 == UInt8(ascii: "\n") }
            position = ("offset", String(lines.nextOffset))
            if !follow {
                stop = stop ?? lines.endOffset
                if lines.nextOffset >= stop ?? 0 { return }
                // An unfinished write is in the way: the server waits for it, or settles that it never comes.
                if lines.bytes.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
            }
        }
    }

    private static func payloads(_ lines: [UInt8]) -> [UInt8] {
        var payloads: [UInt8] = []
        payloads.reserveCapacity(lines.count)
        var start = 0
        while start < lines.count {
            let end = lines[start...].firstIndex(of: UInt8(ascii: "\n")) ?? lines.count
            payloads.append(contentsOf: lines[MessageLine.payload(in: lines, line: start..<end)])
            payloads.append(UInt8(ascii: "\n"))
            start = end + 1
        }
        return payloads
    }
}

/// A follower outlives restarts of the server: it says once that it waits, and goes on where it was.
struct Reconnection {
    let isAllowed: Bool
    private var pause = Duration.milliseconds(200)
    private var hasReported = false
    private var hasSucceeded = false

    init(isAllowed: Bool) {
        self.isAllowed = isAllowed
    }

    mutating func succeeded() {
        if hasReported { Terminal.report("streams: connected again") }
        pause = .milliseconds(200)
        hasReported = false
        hasSucceeded = true
    }

    mutating func failed(_ error: StreamsError) async throws {
        guard isAllowed, hasSucceeded, error.code == .unavailable || error.code == .throttled else { throw error }
        if !hasReported { Terminal.report("streams: \(error.detail) Waiting for the server to come back.") }
        hasReported = true
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(5))
    }
}
