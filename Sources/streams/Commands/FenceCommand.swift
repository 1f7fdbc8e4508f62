import ArgumentParser
import StreamsClient
import StreamsModel

/// `streams fence`: sets or takes away the fencing token of a topic.
struct FenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fence", abstract: "Let only those append to a topic that present a token.",
        discussion: """
            The new owner of a topic sets a token of its own, reads up to the offset that is printed, and appends with \
            the token from then on. Whoever has an older one is refused.

              streams fence orders --token owner-2
              streams produce orders --fencing-token owner-2 '{"id": 1}'
            """)

    @Argument(help: "The topic.", transform: TopicName.init)
    var topic: TopicName

    @Option(
        help: "The new token: 1 to 36 visible ASCII characters.",
        transform: { try FencingToken($0, parameter: "--token") })
    var token: FencingToken?

    @Flag(help: "Take the token away: all may append again.")
    var clear = false

    @Option(
        help: "Only if this is the token at present.",
        transform: { try FencingToken($0, parameter: "--current") })
    var current: FencingToken?

    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard (token != nil) != clear else { throw ValidationError("Give either --token or --clear.") }
    }

    func run() async throws {
        let client = try options.client()
        try await reportingErrors {
            let state = try await client.fence(topic, token: token, current: current)
            Terminal.output(Array("\(topic)\t\(state.endOffset)\n".utf8))
        }
    }
}
