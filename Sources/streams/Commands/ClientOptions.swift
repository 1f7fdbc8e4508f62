import ArgumentParser
import StreamsAPI
import StreamsClient
import StreamsModel

/// What every command that talks to a server takes.
struct ClientOptions: ParsableArguments {
    @Option(help: "The server's address (STREAMS_URL; default http://127.0.0.1:9000).")
    var url: String?

    /// A client for the server that is asked for.
    func client() throws -> StreamsClient {
        let setting = Setting(flag: "--url", variable: "STREAMS_URL", form: "an address such as http://127.0.0.1:9000")
        {
            $0.hasPrefix("http://") || $0.hasPrefix("https://") ? $0 : nil
        }
        return StreamsClient(url: try setting.value(flag: url, default: "http://127.0.0.1:9000"))
    }
}

/// Runs the body of a client command: an error of the server becomes a line on standard error and exit code 1.
func reportingErrors(_ body: () async throws -> Void) async throws {
    do {
        try await body()
    } catch let error as StreamsError {
        Terminal.endProgress()
        Terminal.report("streams: \(error.description)")
        throw ExitCode.failure
    }
}
