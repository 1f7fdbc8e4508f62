package import Logging
import StreamsCore

/// The settings of the function beside those of its store, from its environment variables, checked.
package struct FunctionSettings: Sendable, Equatable {
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
        var reader = SettingsReader()
        let level = reader.read(
            "LOG_LEVEL", environment("LOG_LEVEL"),
            "one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))",
            default: .info, Logger.Level.init(rawValue:))
        let streams = reader.read(
            "STREAMS_RESPONSE_STREAMING", environment("STREAMS_RESPONSE_STREAMING"), "'true' or 'false'",
            default: false, Bool.init)
        let origins = reader.read(
            "STREAMS_ALLOWED_ORIGINS", environment("STREAMS_ALLOWED_ORIGINS"), "a list of origins", default: ["*"]
        ) { text in
            text.split(separator: ",").map { String($0.drop { $0 == " " }.prefix { $0 != " " }) }
        }
        guard let level, let streams, let origins else {
            throw FunctionSettingsError(message: reader.problems.joined(separator: " "))
        }
        logLevel = level
        streamsResponses = streams
        allowedOrigins = origins
    }
}

/// What is wrong with the settings.
package struct FunctionSettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line for the operator.
    package var message: String

    /// The line.
    package var description: String { message }
}
