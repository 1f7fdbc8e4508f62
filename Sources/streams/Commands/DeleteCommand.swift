import ArgumentParser
import StreamsClient
import StreamsModel

/// `streams delete`: deletes a topic.
struct DeleteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a topic with its messages; its offsets are never used again.")

    @Argument(help: "The topic.", transform: TopicName.init)
    var topic: TopicName

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let client = try options.client()
        try await reportingErrors { try await client.delete(topic) }
    }
}
