package import StreamsCore

/// What an operator says about the store on AWS, checked: the same words for the server and the Lambda function.
package struct AWSStoreSettings: Sendable {
    /// The bucket and the table.
    package let store: AWSStore.Configuration
    /// How long a topic whose counter went back stays closed.
    package let recoveryWait: Duration

    /// A setting that is missing or wrong, as one sentence that names it and says what it should be.
    package struct Failure: Error, CustomStringConvertible {
        /// The sentence.
        package let description: String
    }

    /// The texts as they were given; empty ones count as missing.
    package struct Texts: Sendable {
        /// `BUCKET_NAME`.
        package var bucket: String?
        /// `COUNTERS_TABLE`.
        package var table: String?
        /// `STREAMS_RETENTION`, such as `30d`, or `forever`.
        package var retention: String?
        /// `STREAMS_RECOVERY_WAIT`, in seconds.
        package var recoveryWait: String?

        /// Takes the texts from the environment.
        package init(environment: [String: String]) {
            bucket = environment["BUCKET_NAME"]
            table = environment["COUNTERS_TABLE"]
            retention = environment["STREAMS_RETENTION"]
            recoveryWait = environment["STREAMS_RECOVERY_WAIT"]
        }
    }

    /// Checks the texts.
    package init(_ texts: Texts) throws(Failure) {
        store = AWSStore.Configuration(
            bucket: try Self.name(
                texts.bucket, "BUCKET_NAME", "the S3 bucket that keeps the messages",
                form: "3 to 63 lower-case letters, digits, dots and hyphens", length: 3...63,
                characters: Self.lowerCase + Self.digits + ".-"),
            table: try Self.name(
                texts.table, "COUNTERS_TABLE", "the DynamoDB table that keeps the counters",
                form: "3 to 255 letters, digits, dots, hyphens and underscores", length: 3...255,
                characters: Self.lowerCase + Self.upperCase + Self.digits + ".-_"),
            retentionDays: try Self.retentionDays(texts.retention))
        recoveryWait = try Self.recoveryWait(texts.recoveryWait)
    }

    private static let lowerCase = "abcdefghijklmnopqrstuvwxyz"
    private static let upperCase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    private static let digits = "0123456789"

    private static func given(_ text: String?) -> String? {
        text.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func name(
        _ text: String?, _ variable: String, _ meaning: String, form: String, length: ClosedRange<Int>,
        characters: String
    ) throws(Failure) -> String {
        guard let text = given(text) else {
            throw Failure(description: "\(variable) is not set: it names \(meaning).")
        }
        guard length.contains(text.utf8.count), text.allSatisfy({ characters.contains($0) }) else {
            throw Failure(description: "\(variable) names \(meaning), by \(form), not '\(text.prefix(300))'.")
        }
        return text
    }

    private static func retentionDays(_ text: String?) throws(Failure) -> Int? {
        guard let text = given(text) else { return 30 }
        switch Retention(text)?.wholeDays {
        case .forever: return nil
        case .days(let days): return days
        case .notWhole, nil:
            throw Failure(
                description: "STREAMS_RETENTION is the days after which the bucket's lifecycle rule deletes objects, "
                    + "such as 30d, or 'forever' where it has none, not '\(text.prefix(100))'.")
        }
    }

    private static func recoveryWait(_ text: String?) throws(Failure) -> Duration {
        guard let text = given(text) else { return LogConfiguration().recoveryWait }
        guard let seconds = Int(text), (0...86400).contains(seconds) else {
            throw Failure(
                description: "STREAMS_RECOVERY_WAIT is a number of seconds from 0 to 86400, not '\(text.prefix(100))'.")
        }
        return .seconds(seconds)
    }
}
