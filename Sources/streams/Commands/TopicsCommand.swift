import ArgumentParser
import StreamsClient
import StreamsModel

/// `streams topics`: lists the topics.
struct TopicsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "topics", abstract: "List the topics, one a line.")

    @Option(help: "Only topics whose names begin with this.")
    var prefix = ""

    @Flag(
        name: .shortAndLong,
        help: """
            Also the earliest offset and the end offset of each, separated by tabs; then 'branch of TOPIC at OFFSET' and \
            what is kept of it, where there is such.
            """)
    var long = false

    @OptionGroup var options: ClientOptions

    func run() async throws {
        let client = try options.client()
        try await reportingErrors {
            var cursor: String?
            repeat {
                let page = try await client.topics(prefix: prefix, cursor: cursor)
                for item in page.topics {
                    Terminal.output(Array((try await line(for: item.topic, client) + "\n").utf8))
                }
                cursor = page.nextCursor
            } while cursor != nil
        }
    }

    private func line(for topic: String, _ client: StreamsClient) async throws(StreamsError) -> String {
        guard long else { return topic }
        let state = try await client.topic(try TopicName(topic))
        var line = "\(topic)\t\(state.earliestOffset)\t\(state.endOffset)"
        if let parent = state.branchOf { line += "\tbranch of \(parent.topic) at \(parent.offset)" }
        if let kept = state.kept { line += "\t\(kept)" }
        return line
    }
}
