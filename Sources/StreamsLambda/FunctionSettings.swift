package import Logging

/// The settings of the function, from its environment variables, checked.
package struct FunctionSettings: Sendable, Equatable {
    /// The bucket that holds the messages (`BUCKET_NAME`).
    package var bucketName: String
    /// The DynamoDB table that holds the counters (`COUNTERS_TABLE`).
    package var countersTable: String
    /// What is logged (`LOG_LEVEL`; default info).
    package var logLevel: Logger.Level
    /// Whether the integration invokes the function for streamed responses (`STREAMS_RESPONSE_STREAMING`).
    package var streamsResponses: Bool
    /// Origins that browsers may call from (`STREAMS_ALLOWED_ORIGINS`; default all).
    package var allowedOrigins: [String]

    /// Reads the variables.
    ///
    /// - Throws: all that is wrong, in one line: which variable, and what it should be.
    package init(environment: (String) -> String?) throws(FunctionSettingsError) {
        var problems: [String] = []
        func read<Value>(
            _ name: String, _ form: String, default fallback: Value?, _ parse: (String) -> Value?
        ) -> Value? {
            guard let text = environment(name), !text.isEmpty else {
                if fallback == nil { problems.append("\(name) is not set: it is \(form).") }
                return fallback
            }
            let value = parse(text)
            if value == nil { problems.append("\(name) is \(form), not '\(text.prefix(80))'.") }
            return value
        }
        let bucket = read(
            "BUCKET_NAME", "the name of an S3 bucket (3 to 63 lower-case letters, digits, dots and hyphens)",
            default: nil, Self.bucketName)
        let table = read(
            "COUNTERS_TABLE", "the name of a DynamoDB table (3 to 255 letters, digits, '_', '-' and '.')",
            default: nil, Self.tableName)
        let level = read(
            "LOG_LEVEL", "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))", default: .info,
            Logger.Level.init(rawValue:))
        let streams = read("STREAMS_RESPONSE_STREAMING", "'true' or 'false'", default: false, Bool.init)
        let origins = read("STREAMS_ALLOWED_ORIGINS", "a list of origins", default: ["*"]) { text in
            text.split(separator: ",").map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
        }
        guard let bucket, let table, let level, let streams, let origins else {
            throw FunctionSettingsError(message: problems.joined(separator: " "))
        }
        bucketName = bucket
        countersTable = table
        logLevel = level
        streamsResponses = streams
        allowedOrigins = origins
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

    private static func isLowerCaseOrDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
    }

    /// The rules are those of the DynamoDB Developer Guide, "Naming rules".
    private static func tableName(_ text: String) -> String? {
        let isAllowed = text.utf8.allSatisfy { byte in
            isLowerCaseOrDigit(byte) || byte &- UInt8(ascii: "A") < 26 || "._-".utf8.contains(byte)
        }
        return (3...255).contains(text.utf8.count) && isAllowed ? text : nil
    }
}

/// What is wrong with the settings.
package struct FunctionSettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line for the operator.
    package var message: String

    /// The line.
    package var description: String { message }
}
