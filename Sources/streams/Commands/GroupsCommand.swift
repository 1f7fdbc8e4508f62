import ArgumentParser
import StreamsClient
import StreamsModel

/// `streams groups`: the consumer groups of a topic.
struct GroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "List, create, move and delete the consumer groups of a topic.",
        discussion: """
              streams groups orders
              streams groups seek orders billing earliest
              streams consume orders --group billing --follow
            """,
        subcommands: [List.self, Show.self, Create.self, Seek.self, Delete.self], defaultSubcommand: List.self)

    /// Which group.
    struct Group: ParsableArguments {
        @Argument(help: "The topic.", transform: TopicName.init)
        var topic: TopicName

        @Argument(help: "The group.", transform: GroupName.init)
        var group: GroupName
    }

    /// `streams groups list`, or without a word.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the groups of a topic, one a line.")

        @Argument(help: "The topic.", transform: TopicName.init)
        var topic: TopicName

        @Flag(
            name: .shortAndLong,
            help: "Also committed offset, end offset, lag, lag in seconds, and consumer of each, separated by tabs.")
        var long = false

        @OptionGroup var options: ClientOptions

        func run() async throws {
            let client = try options.client()
            try await reportingErrors {
                var cursor: String?
                repeat {
                    let page = try await client.groups(of: topic, cursor: cursor)
                    for group in page.groups {
                        Terminal.output(Array(((long ? group.line : group.group) + "\n").utf8))
                    }
                    cursor = page.nextCursor
                } while cursor != nil
            }
        }
    }

    /// `streams groups show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a group: name, committed offset, end offset, lag, lag in seconds, and consumer.")

        @OptionGroup var group: Group
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let client = try options.client()
            try await reportingErrors {
                let state = try await client.group(group.group, of: group.topic)
                Terminal.output(Array((state.line + "\n").utf8))
            }
        }
    }

    /// `streams groups create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create a group, unless it stands.")

        @OptionGroup var group: Group

        @Option(help: "Where it begins: an offset, 'earliest' (default) or 'latest'.", transform: Place.init)
        var start = Place(value: .earliest)

        @OptionGroup var options: ClientOptions

        func run() async throws {
            let client = try options.client()
            try await reportingErrors {
                _ = try await client.createGroup(group.group, of: group.topic, start: start.value)
            }
        }
    }

    /// `streams groups seek`.
    struct Seek: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set a group to a place. Its consumer loses the lease.")

        @OptionGroup var group: Group

        @Argument(help: "The next offset to process: a number, 'earliest' or 'latest'.", transform: Place.init)
        var offset: Place

        @OptionGroup var options: ClientOptions

        func run() async throws {
            let client = try options.client()
            try await reportingErrors {
                _ = try await client.seek(group.group, of: group.topic, to: offset.value)
            }
        }
    }

    /// `streams groups delete`.
    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a group; the topic stays as it is.")

        @OptionGroup var group: Group
        @OptionGroup var options: ClientOptions

        func run() async throws {
            let client = try options.client()
            try await reportingErrors { try await client.deleteGroup(group.group, of: group.topic) }
        }
    }

    /// A place in a topic, from the command line.
    struct Place {
        /// The place.
        var value: StreamsClient.Place

        init(value: StreamsClient.Place) {
            self.value = value
        }

        init(_ text: String) throws {
            guard let value = StreamsClient.Place(text) else {
                throw ValidationError("It is an offset from 1 on, 'earliest' or 'latest'.")
            }
            self.value = value
        }
    }
}

extension StreamsClient.Group {
    /// The group as a line, with tabs between its parts.
    fileprivate var line: String {
        let numbers = [committedOffset, endOffset ?? 0, lag ?? 0].map { String($0) }
        let seconds = String(lagSeconds ?? 0)
        return ([group] + numbers + [seconds, lease?.consumer ?? "-"]).joined(separator: "\t")
    }
}
