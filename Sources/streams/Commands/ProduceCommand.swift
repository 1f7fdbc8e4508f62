import ArgumentParser
import Foundation
import StreamsAPI
import StreamsClient
import StreamsCore
import StreamsModel

/// `streams produce`: appends messages to a topic.
struct ProduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Append messages to a topic: JSON values from the arguments, or one a line from standard input.",
        discussion: """
            Lines are sent as they come, many at once when many are there. Each batch is written whole or not at all; \
            the command stops at the first that fails and says which lines were written.

              streams produce orders '{"id": 1}'
              cat events.ndjson | streams produce orders

            With --idempotency-key the command can be repeated: what is there already is not written twice, as long as \
            the input is the same. Each batch has a key of its own, KEY-1, KEY-2 and so on, and a batch is then as many \
            lines as there are up to a bound, however they come.
            """)

    @Argument(help: "The topic; it is created with its first message.", transform: TopicName.init)
    var topic: TopicName

    @Argument(help: "Payloads, each a JSON value; without any, standard input is read.")
    var payloads: [String] = []

    @Flag(name: .shortAndLong, help: "Do not report what was written.")
    var quiet = false

    @Option(
        help: "Makes the command safe to repeat, with the same input, for as long as the server remembers keys.",
        transform: { try ProduceCommand.keyBase($0) })
    var idempotencyKey: IdempotencyKey?

    @Option(
        help: "Append only if the first message gets this offset; the next batches are expected right behind.",
        transform: { try ProduceCommand.offset($0) })
    var expectedOffset: Offset?

    @Option(
        help: "The topic's fencing token.", transform: { try FencingToken($0, parameter: "--fencing-token") })
    var fencingToken: FencingToken?

    @OptionGroup var options: ClientOptions

    /// A key to which the number of a batch can be added.
    private static func keyBase(_ text: String) throws -> IdempotencyKey {
        guard text.utf8.count <= IdempotencyKey.lengthMaximum - 21, let key = try? IdempotencyKey(text) else {
            throw ValidationError(
                "--idempotency-key has 1 to \(IdempotencyKey.lengthMaximum - 21) visible ASCII characters.")
        }
        return key
    }

    private static func offset(_ text: String) throws -> Offset {
        guard let offset = Int64(text).flatMap({ Offset($0) }) else {
            throw ValidationError("--expected-offset is a whole number from 1 on.")
        }
        return offset
    }

    func run() async throws {
        let client = try options.client()
        try await reportingErrors {
            var producer = LineProducer(
                client: client, topic: topic,
                conditions: StreamsClient.ProduceConditions(
                    idempotencyKey: idempotencyKey, expectedOffset: expectedOffset, fencingToken: fencingToken))
            if payloads.isEmpty {
                var lines = LineBatches(descriptor: STDIN_FILENO, areFull: idempotencyKey != nil)
                while let batch = try lines.next() { try await producer.send(batch) }
            } else {
                try await producer.send(try Self.lines(of: payloads))
            }
            Terminal.endProgress()
            if !quiet { Terminal.report(producer.summary) }
        }
    }

    /// The arguments as NDJSON.
    ///
    /// Each must be JSON by itself: then a line break in one is white space, and may become a
    /// blank, which does not end the line.
    private static func lines(of payloads: [String]) throws(StreamsError) -> [UInt8] {
        var lines: [UInt8] = []
        for (index, payload) in payloads.enumerated() {
            let bytes = Array(payload.utf8)
            var scanner = JSONScanner(end: bytes.count, nestingMaximum: JSONScanner.nestingCeiling)
            do throws(JSONScanner.Failure) {
                _ = try scanner.value(in: bytes.span)
                try scanner.finish(in: bytes.span)
            } catch {
                let problem =
                    switch error {
                    case .syntax(let position, let reason): "is not JSON at byte \(position): \(reason)"
                    case .tooDeep: "is nested too deeply"
                    }
                throw StreamsError(.invalidJSON, "payload \(index + 1) \(problem). Nothing was written.")
            }
            lines += bytes.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 }
            lines.append(UInt8(ascii: "\n"))
        }
        return lines
    }
}

/// Sends batches of lines and keeps count.
private struct LineProducer {
    let client: StreamsClient
    let topic: TopicName
    /// Those of the next batch, but for the number in its key.
    private var conditions: StreamsClient.ProduceConditions
    private var batchCount = 0
    private var lineCount = 0
    private var messageCount = 0
    private var first: Int64?
    private var last: Int64?

    /// Tries of a batch that certainly was not written.
    private static let triesMaximum = 5

    init(client: StreamsClient, topic: TopicName, conditions: StreamsClient.ProduceConditions) {
        self.client = client
        self.topic = topic
        self.conditions = conditions
    }

    var summary: String {
        guard let first, let last else { return "nothing to produce" }
        return "produced \(countedMessages) to \(topic): offsets \(first) to \(last)"
    }

    private var countedMessages: String { "\(messageCount) message\(messageCount == 1 ? "" : "s")" }

    mutating func send(_ batch: [UInt8]) async throws(StreamsError) {
        let lines = batch.count { $0 == UInt8(ascii: "\n") }
        guard batch.contains(where: { !" \t\r\n".utf8.contains($0) }) else {
            lineCount += lines
            return
        }
        let receipt: StreamsClient.ProduceReceipt
        batchCount += 1
        do {
            var conditions = conditions
            if let key = conditions.idempotencyKey {
                conditions.idempotencyKey = try IdempotencyKey("\(key)-\(batchCount)")
            }
            receipt = try await sendRetrying(batch, conditions)
        } catch {
            throw located(error, in: batch)
        }
        lineCount += lines
        messageCount += receipt.count
        first = first ?? receipt.offset
        last = receipt.lastOffset
        if conditions.expectedOffset != nil { conditions.expectedOffset = Offset(receipt.lastOffset + 1) }
        Terminal.progress("\(messageCount) messages")
    }

    private func sendRetrying(
        _ batch: [UInt8], _ conditions: StreamsClient.ProduceConditions
    ) async throws(StreamsError) -> StreamsClient.ProduceReceipt {
        var pause = Duration.milliseconds(100)
        for _ in 1..<Self.triesMaximum {
            do {
                return try await client.produce(lines: batch, to: topic, conditions: conditions)
            } catch {
                // With a key even what may have been written can be sent again.
                let isSafe =
                    conditions.idempotencyKey != nil || (error.code.hasCertainlyNoSideEffects && messageCount > 0)
                guard error.code.isRetryable, isSafe else { throw error }
            }
            try? await Task.sleep(for: pause)
            pause *= 2
        }
        return try await client.produce(lines: batch, to: topic, conditions: conditions)
    }

    /// Says where in the input it went wrong, and what is written.
    private func located(_ error: StreamsError, in batch: [UInt8]) -> StreamsError {
        var error = error
        if let position = error.context.position {
            let line = lineCount + 1 + batch.prefix(position).count { $0 == UInt8(ascii: "\n") }
            error.detail = "line \(line): \(error.detail)"
            if lineCount == 0 { error.detail += " Nothing was written." }
        }
        if lineCount > 0 {
            error.detail += " Lines 1 to \(lineCount) are written (\(countedMessages))"
            // Of what is after them, nobody knows when the answer was lost.
            error.detail += error.code.hasCertainlyNoSideEffects ? "; nothing after them." : "."
        }
        return error
    }
}
