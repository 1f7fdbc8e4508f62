import ArgumentParser
import StreamsClient
import StreamsModel

/// `streams branch`: creates a topic that begins as another one.
struct BranchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "branch",
        abstract: "Create a topic that reads as another one below an offset, and goes its own way from there on.")

    @Argument(help: "The topic to branch from.", transform: TopicName.init)
    var topic: TopicName

    @Argument(help: "The name of the new topic.", transform: TopicName.init)
    var name: TopicName

    @Option(help: "The first offset of the new topic's own; the end of the other one where it is not given.")
    var offset: Int64?

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let client = try options.client()
        try await reportingErrors {
            let state = try await client.branch(topic, to: name, at: offset)
            Terminal.output(Array("\(name)\t\(state.earliestOffset)\t\(state.endOffset)\n".utf8))
        }
    }
}
