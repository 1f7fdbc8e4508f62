import ArgumentParser
import StreamsClient
import StreamsModel

/// `streams trim`: drops the messages below an offset.
struct TrimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trim", abstract: "Drop the messages of a topic below an offset; they do not come back.")

    @Argument(help: "The topic.", transform: TopicName.init)
    var topic: TopicName

    @Option(help: "The first offset to keep, at most the topic's end.")
    var before: Int64

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let client = try options.client()
        try await reportingErrors {
            let earliest = try await client.trim(topic, before: before)
            Terminal.output(Array("\(topic)\t\(earliest)\n".utf8))
        }
    }
}
