import ArgumentParser
import Foundation
import Logging
import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsSQLite

/// Which store a command works on, without a server in between.
struct StoreOptions: ParsableArguments {
    @Option(help: "'sqlite' or 'aws' (STREAMS_STORE; default sqlite).")
    var store: String?

    @Option(help: "The data file (STREAMS_DATA; default data/streams.sqlite).")
    var data: String?

    @Option(help: "With --store aws: the S3 bucket that keeps the messages (BUCKET_NAME).")
    var bucket: String?

    @Option(help: "With --store aws: the DynamoDB table that keeps the counters (COUNTERS_TABLE).")
    var table: String?

    @Option(help: "With --store aws: the days of the bucket's lifecycle rule (STREAMS_RETENTION; default 30d).")
    var retention: String?

    /// The kinds of store that outlive a process.
    enum Kind: String {
        case sqlite, aws
    }

    /// The kind that is meant.
    var kind: Kind {
        get throws {
            try Setting(flag: "--store", variable: "STREAMS_STORE", form: "'sqlite' or 'aws'") { Kind(rawValue: $0) }
                .value(flag: store, default: .sqlite)
        }
    }

    /// The data file.
    var path: String {
        get throws {
            try Setting(flag: "--data", variable: "STREAMS_DATA").value(flag: data, default: "data/streams.sqlite")
        }
    }

    /// The store on AWS.
    func openAWS(_ logger: Logger) throws -> AWSStorage {
        let environment = ProcessInfo.processInfo.environment
        var texts = AWSStoreSettings.Texts(environment: environment)
        if let bucket { texts.bucket = bucket }
        if let table { texts.table = table }
        if let retention { texts.retention = retention }
        do {
            return try AWSStorage(
                AWSStoreSettings(texts), environment: environment, time: SystemTime(), logger: logger)
        } catch let error as AWSStoreSettings.Failure {
            throw ValidationError(error.description)
        } catch let error as AWSError {
            throw ValidationError("\(error)")
        }
    }

    /// The topics that are named.
    static func topics(_ names: [String]) throws -> [TopicName] {
        try names.map { name in
            do throws(StreamsError) {
                return try TopicName(name)
            } catch {
                throw ValidationError("'\(name)' is no topic: \(error.detail)")
            }
        }
    }

    /// A logger for commands: only what is wrong.
    static func makeLogger(_ level: Logger.Level = .error) -> Logger {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "streams")
        logger.logLevel = level
        return logger
    }
}

extension AWSStorage {
    /// A log over the store, for a command.
    func makeLog(_ logger: Logger) -> Log {
        Log(
            table: store, segments: store, time: connection.clock, makeAppendID: AppendID.random,
            configuration: logConfiguration, logger: logger)
    }
}
