package import StreamsCore

/// What an operator says about the store on AWS, checked: the same words for the server and the Lambda function.
package struct AWSStoreSettings: Sendable {
    /// The bucket and the table.
    package let store: AWSStore.Configuration
    /// How long a topic whose counter went back stays closed.
    package let recoveryWait: Duration
    /// How long idempotency keys are remembered.
    package let idempotencyExpiry: Duration

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
        /// `STREAMS_IDEMPOTENCY_EXPIRY`, such as `24h`.
        package var idempotencyExpiry: String?

        /// Takes the texts from the environment.
        package init(environment: [String: String]) {
            bucket = environment["BUCKET_NAME"]
            table = environment["COUNTERS_TABLE"]
            retention = environment["STREAMS_RETENTION"]
            recoveryWait = environment["STREAMS_RECOVERY_WAIT"]
            idempotencyExpiry = environment["STREAMS_IDEMPOTENCY_EXPIRY"]
        }
    }

    /// Checks the texts.
    ///
    /// - Throws: all that is wrong, in one line.
    package init(_ texts: Texts) throws(Failure) {
        var reader = SettingsReader()
        let bucket = reader.read(
            "BUCKET_NAME", texts.bucket,
            "the name of an S3 bucket (3 to 63 lower-case letters, digits, dots and hyphens)",
            default: nil, Self.bucketName)
        let table = reader.read(
            "COUNTERS_TABLE", texts.table, "the name of a DynamoDB table (3 to 255 letters, digits, '_', '-' and '.')",
            default: nil, Self.tableName)
        let retention = reader.read(
            "STREAMS_RETENTION", texts.retention,
            "the days after which the bucket's lifecycle rule deletes objects, such as 30d, or 'forever' without a rule",
            default: .days(30), Self.wholeDays)
        let recoveryWait = reader.read(
            "STREAMS_RECOVERY_WAIT", texts.recoveryWait, "a number of seconds from 0 to 86400",
            default: LogConfiguration().recoveryWait
        ) { Int($0).flatMap { (0...86400).contains($0) ? .seconds($0) : nil } }
        let idempotencyExpiry = reader.read(
            "STREAMS_IDEMPOTENCY_EXPIRY", texts.idempotencyExpiry, "a time such as 24h, 30m or 2d",
            default: LogConfiguration().idempotencyExpiry
        ) { Retention($0)?.duration }
        guard let bucket, let table, let retention, let recoveryWait, let idempotencyExpiry else {
            throw Failure(description: reader.problems.joined(separator: " "))
        }
        var days: Int?
        if case .days(let count) = retention { days = count }
        store = AWSStore.Configuration(bucket: bucket, table: table, retentionDays: days)
        self.recoveryWait = recoveryWait
        self.idempotencyExpiry = idempotencyExpiry
    }

    /// The rules are those of the S3 User Guide, "General purpose bucket naming rules", as far as they keep typing
    /// mistakes out.
    private static func bucketName(_ text: String) -> String? {
        let isAllowed = text.utf8.allSatisfy { byte in
            isLowerCaseOrDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
        guard (3...63).contains(text.utf8.count), isAllowed, let first = text.utf8.first, let last = text.utf8.last,
            isLowerCaseOrDigit(first), isLowerCaseOrDigit(last)
        else { return nil }
        return text
    }

    /// The rules are those of the DynamoDB Developer Guide, "Naming rules".
    private static func tableName(_ text: String) -> String? {
        let isAllowed = text.utf8.allSatisfy { byte in
            isLowerCaseOrDigit(byte) || byte &- UInt8(ascii: "A") < 26 || "._-".utf8.contains(byte)
        }
        return (3...255).contains(text.utf8.count) && isAllowed ? text : nil
    }

    private static func isLowerCaseOrDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
    }

    private static func wholeDays(_ text: String) -> Retention.WholeDays? {
        let days = Retention(text)?.wholeDays
        return days == .notWhole ? nil : days
    }
}
