import ArgumentParser

/// The command line.
@main
struct Streams: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streams",
        abstract: "Kafka-like topics over plain HTTP.",
        version: Version.current,
        subcommands: [ServeCommand.self, ProduceCommand.self, ConsumeCommand.self, TopicsCommand.self])
}

/// The version of the software.
enum Version {
    static let current = "0.1.0"
}
