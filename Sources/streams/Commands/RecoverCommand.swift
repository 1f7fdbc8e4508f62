import ArgumentParser
import Foundation
import StreamsAWS
import StreamsCore
import StreamsModel

/// `streams recover`: raises counters that lie behind what is stored.
struct RecoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recover",
        abstract: "After the table was restored from a backup, or items were lost: raise the counters.",
        discussion: """
            Closes the topics for appends, waits until no older write can land (18 minutes; STREAMS_RECOVERY_WAIT sets \
            other seconds), raises each counter above what is stored, and opens the topics. Reads go on meanwhile. A \
            server does the same by itself with a topic of which it notices; this finds the others too.
            """)

    @Argument(help: "The topics; all that the bucket has messages of where none are named.")
    var topics: [String] = []

    @OptionGroup var options: StoreOptions

    func run() async throws {
        guard try options.kind == .aws else {
            throw ValidationError("A data file keeps counter and messages together: there is nothing to recover.")
        }
        let named = try StoreOptions.topics(topics)
        let interruption = Interruption()
        let listeners = interruption.listen()
        defer { for listener in listeners { listener.cancel() } }
        let logger = StoreOptions.makeLogger()
        let aws = try options.openAWS(logger)
        let log = aws.makeLog(logger)
        do throws(StreamsError) {
            let stored = try await log.storedTopics(aws.store)
            // Closing a topic makes its item: a name that was mistyped would become a topic.
            if let unknown = named.first(where: { !stored.contains($0) }) {
                throw StreamsError(.topicNotFound, "The bucket has no messages of \(unknown); nothing was closed.")
            }
            let topics = named.isEmpty ? stored : named
            try await log.recover(topics, progress: Self.report, goesOn: { !interruption.hasCome })
        } catch {
            Terminal.report("streams: \(error.detail)")
            throw ExitCode.failure
        }
    }

    private static func report(_ step: RecoveryStep) {
        let line =
            switch step {
            case .closed(let topic, let until):
                "\(topic): closed for appends until \(Date(timeIntervalSince1970: Double(until.milliseconds) / 1000).ISO8601Format())"
            case .opened(let topic, let end): "\(topic): open again, its end is \(end)"
            case .foundOpen(let topic): "\(topic): open, by somebody else"
            }
        Terminal.output(Array((line + "\n").utf8))
    }
}
