import Logging
import StreamsLambda
import Testing

@Suite("The function's settings")
struct FunctionSettingsTests {
    private func settings(_ variables: [String: String]) throws -> FunctionSettings {
        try FunctionSettings { variables[$0] }
    }

    @Test("none is needed")
    func defaults() throws {
        let settings = try settings([:])
        #expect(settings.logLevel == .info && !settings.streamsResponses && settings.allowedOrigins == ["*"])
    }

    @Test("all can be set")
    func all() throws {
        let settings = try settings(
            [
                "LOG_LEVEL": "trace", "STREAMS_RESPONSE_STREAMING": "true",
                "STREAMS_ALLOWED_ORIGINS": "https://a.example, https://b.example",
            ])
        #expect(settings.logLevel == .trace && settings.streamsResponses)
        #expect(settings.allowedOrigins == ["https://a.example", "https://b.example"])
    }

    @Test(
        "what is wrong is named, with what it should be",
        arguments: [
            ("LOG_LEVEL", "verbose"), ("LOG_LEVEL", "INFO"),
            ("STREAMS_RESPONSE_STREAMING", "yes"), ("STREAMS_RESPONSE_STREAMING", "1"),
        ])
    func problems(name: String, text: String) throws {
        let error = try #require(throws: FunctionSettingsError.self) { try settings([name: text]) }
        #expect(error.message.hasPrefix("\(name) is ") && error.message.hasSuffix("."))
        #expect(!error.message.contains("\n"))
    }

    @Test("everything that is wrong comes in one line")
    func several() throws {
        let error = try #require(throws: FunctionSettingsError.self) {
            try settings(["LOG_LEVEL": "loud", "STREAMS_RESPONSE_STREAMING": "perhaps"])
        }
        for name in ["STREAMS_RESPONSE_STREAMING is 'true'", "LOG_LEVEL is one of trace, debug, info,"] {
            #expect(error.message.contains(name))
        }
    }
}
