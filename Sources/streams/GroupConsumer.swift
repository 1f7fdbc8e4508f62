import Foundation
import StreamsClient
import StreamsCore
import StreamsModel

/// Consumes as one of a group: receives, writes to standard output, then commits.
struct GroupConsumer: Sendable {
    let client: StreamsClient
    let topic: TopicName
    let group: GroupName
    let consumer: String
    let leaseSeconds: Int
    /// Most messages; `nil` for all.
    let limit: Int?
    /// Whether to go on with new messages as they come.
    let follows: Bool
    /// Makes a message's line what is written.
    let format: @Sendable ([UInt8]) -> [UInt8]

    /// Runs until the end, the limit, an error, or a signal; then gives the lease up.
    func run() async throws {
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await untilSignal { try await consume() })
        } catch {
            outcome = .failure(error)
        }
        await release()
        try outcome.get()
    }

    private func consume() async throws {
        // Without --follow it stops at the end that the topic has now.
        let stop = follows ? Int64.max : try await client.topic(topic).endOffset
        var remaining = limit ?? .max
        var generation: Int64 = 0
        var committed: Int64 = 0
        var connection = Reconnection(isAllowed: follows)
        var hasReportedHolder = false
        while remaining > 0 {
            do throws(StreamsError) {
                let received = try await client.receive(
                    group, of: topic,
                    StreamsClient.Receive(
                        consumer: consumer, generation: generation, limit: min(remaining, 1000),
                        wait: follows ? 20 : 0, leaseSeconds: leaseSeconds))
                connection.succeeded()
                hasReportedHolder = false
                generation = received.generation
                let lines = MessageArray.lines(in: received.document)
                for line in lines { Terminal.output(format(line)) }
                remaining -= lines.count
                // Also what holds no messages is behind the group then, as holes that were closed.
                if received.nextOffset > committed {
                    _ = try await client.ack(
                        group, of: topic, consumer: consumer, generation: generation, offset: received.nextOffset)
                    committed = received.nextOffset
                }
                if received.nextOffset >= stop { return }
                // An unfinished write is in the way.
                if lines.isEmpty, !follows { try? await Task.sleep(for: .milliseconds(100)) }
            } catch {
                // Whatever was handed out and not committed is to come again.
                generation = 0
                committed = 0
                if Task.isCancelled { return }
                switch error.code {
                case .leaseLost:
                    Terminal.report("streams: \(error.detail) What was not committed comes again.")
                case .leaseHeld where follows:
                    if !hasReportedHolder { Terminal.report("streams: another consumer holds the lease; waiting") }
                    hasReportedHolder = true
                    try await Task.sleep(for: .milliseconds(500))
                default:
                    try await connection.failed(error)
                }
            }
        }
    }

    /// Gives the lease up, so that another consumer need not wait for its end.
    private func release() async {
        guard let lease = try? await client.group(group, of: topic).lease, lease.consumer == consumer else { return }
        try? await client.release(group, of: topic, consumer: consumer, generation: lease.generation)
    }

    /// Runs the body until it ends, or SIGINT or SIGTERM comes.
    private func untilSignal(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let (signals, input) = AsyncStream<Void>.makeStream()
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { input.yield() }
            source.resume()
            return source
        }
        defer { for source in sources { source.cancel() } }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await body() }
            tasks.addTask { for await _ in signals { return } }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }
}

/// The messages of a receive's answer.
enum MessageArray {
    /// Each element of the member `messages`, as it stands, with a line break behind; empty where the text is of another
    /// form.
    static func lines(in document: [UInt8]) -> [[UInt8]] {
        let bytes = document.span
        var scanner = JSONScanner(end: document.count, nestingMaximum: JSONScanner.nestingCeiling)
        var lines: [[UInt8]] = []
        guard scanner.accept(UInt8(ascii: "{"), in: bytes) else { return [] }
        while let name = try? scanner.string(in: bytes), scanner.accept(UInt8(ascii: ":"), in: bytes) {
            if JSONText.equals(name, "messages", in: bytes), scanner.accept(UInt8(ascii: "["), in: bytes) {
                while scanner.peek(in: bytes) == UInt8(ascii: "{"), let message = try? scanner.value(in: bytes) {
                    lines.append(document[message] + [UInt8(ascii: "\n")])
                    guard scanner.accept(UInt8(ascii: ","), in: bytes) else { break }
                }
                return lines
            }
            guard (try? scanner.value(in: bytes)) != nil, scanner.accept(UInt8(ascii: ","), in: bytes) else {
                return []
            }
        }
        return []
    }
}
