import LambdaRuntime
import Logging
import NIOPosix
import StreamsAWS
import StreamsLambda

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The program that Lambda starts: reads its settings, and then answers events until it is ended.
///
/// It makes no call over the network before the first event, except to the Runtime API.
@main
enum Bootstrap {
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        exit(await run())
    }

    /// Returns the exit status.
    private static func run() async -> Int32 {
        let environment = ProcessInfo.processInfo.environment
        var problems: [String] = []
        var storeSettings: AWSStoreSettings?
        do throws(AWSStoreSettings.Failure) {
            storeSettings = try AWSStoreSettings(AWSStoreSettings.Texts(environment: environment))
        } catch {
            problems.append(error.description)
        }
        var settings: FunctionSettings?
        do throws(FunctionSettingsError) {
            settings = try FunctionSettings { environment[$0] }
        } catch {
            problems.append(error.message)
        }
        let level = settings?.logLevel ?? .info
        LoggingSystem.bootstrap { _ in JSONLineLogHandler(level: level) }
        let logger = Logger(label: "bootstrap")
        guard let address = environment["AWS_LAMBDA_RUNTIME_API"], !address.isEmpty else {
            return fail("AWS_LAMBDA_RUNTIME_API is not set: this program runs as a Lambda function, which sets it.")
        }
        guard let api = HTTPRuntimeAPI(address: address, group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        else {
            return fail("AWS_LAMBDA_RUNTIME_API is host:port, not '\(address)'.")
        }
        guard let settings, let storeSettings else { return await refuse(problems.joined(separator: " "), api) }
        let function: Function
        do {
            function = try Function(settings, storeSettings, environment: environment, api: api, logger: logger)
        } catch {
            return await refuse("\(error)", api)
        }
        do throws(RuntimeAPIError) {
            try await function.run()
            return 0
        } catch {
            return fail(error.message)
        }
    }

    /// Says on standard error and to the Runtime API why the function can not start.
    private static func refuse(_ problem: String, _ api: HTTPRuntimeAPI) async -> Int32 {
        let status = fail(problem)
        try? await api.failInitialization(
            InvocationFailure(type: "Runtime.ConfigurationInvalid", message: problem))
        return status
    }

    private static func fail(_ problem: String) -> Int32 {
        JSONLineLogHandler.writeToStandardError(Array("bootstrap: \(problem)\n".utf8))
        return 1
    }
}
