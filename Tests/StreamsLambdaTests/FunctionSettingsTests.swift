import Logging
import StreamsLambda
import Testing

@Suite("The function's settings")
struct FunctionSettingsTests {
    private static let complete = ["BUCKET_NAME": "messages.prod-1", "COUNTERS_TABLE": "Counters_1.a-b"]

    private func settings(_ variables: [String: String]) throws -> FunctionSettings {
        try FunctionSettings { variables[$0] }
    }

    @Test("bucket and table are enough")
    func defaults() throws {
        let settings = try settings(Self.complete)
        #expect(settings.bucketName == "messages.prod-1" && settings.countersTable == "Counters_1.a-b")
        #expect(settings.logLevel == .info && !settings.streamsResponses && settings.allowedOrigins == ["*"])
    }

    @Test("all can be set")
    func all() throws {
        let settings = try settings(
            Self.complete.merging([
                "LOG_LEVEL": "trace", "STREAMS_RESPONSE_STREAMING": "true",
                "STREAMS_ALLOWED_ORIGINS": "https://a.example, https://b.example",
            ]) { $1 })
        #expect(settings.logLevel == .trace && settings.streamsResponses)
        #expect(settings.allowedOrigins == ["https://a.example", "https://b.example"])
    }

    @Test(
        "what is wrong is named, with what it should be",
        arguments: [
            ("BUCKET_NAME", ""), ("BUCKET_NAME", "ab"), ("BUCKET_NAME", "Messages"), ("BUCKET_NAME", "a_b"),
            ("BUCKET_NAME", "-abc"), ("BUCKET_NAME", "s3://abc"), ("BUCKET_NAME", String(repeating: "a", count: 64)),
            ("COUNTERS_TABLE", ""), ("COUNTERS_TABLE", "ab"), ("COUNTERS_TABLE", "a b c"),
            ("COUNTERS_TABLE", "a\u{10}bc"),
            ("COUNTERS_TABLE", "arn:aws:dynamodb:x"), ("LOG_LEVEL", "verbose"), ("LOG_LEVEL", "INFO"),
            ("STREAMS_RESPONSE_STREAMING", "yes"), ("STREAMS_RESPONSE_STREAMING", "1"),
        ])
    func problems(name: String, text: String) throws {
        var variables = Self.complete
        variables[name] = text
        let error = try #require(throws: FunctionSettingsError.self) { try settings(variables) }
        #expect(error.message.hasPrefix("\(name) is ") && error.message.hasSuffix("."))
        #expect(!error.message.contains("\n"))
    }

    @Test("everything that is wrong comes in one line")
    func several() throws {
        let error = try #require(throws: FunctionSettingsError.self) { try settings(["LOG_LEVEL": "loud"]) }
        for name in ["BUCKET_NAME is not set", "COUNTERS_TABLE is not set", "LOG_LEVEL is one of trace, debug, info,"] {
            #expect(error.message.contains(name))
        }
    }
}
