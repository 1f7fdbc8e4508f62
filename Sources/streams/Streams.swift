import ArgumentParser
import StreamsModel

/// The command line.
@main
struct Streams: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "streams",
        abstract: "Kafka-like topics over plain HTTP.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, ProduceCommand.self, ConsumeCommand.self, TopicsCommand.self, GroupsCommand.self,
            FenceCommand.self, RetainCommand.self, TrimCommand.self, DeleteCommand.self, BranchCommand.self,
            MaintainCommand.self, VerifyCommand.self, RecoverCommand.self,
        ])
}
