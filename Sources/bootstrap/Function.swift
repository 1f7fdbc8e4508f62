import CoreMetrics
import LambdaRuntime
import Logging
import StreamsAWS
import StreamsCore
import StreamsHTTP
import StreamsLambda
import StreamsMetrics
import StreamsModel
import UnixSignals

/// The function, put together: store, log, API, invocation loop.
struct Function {
    private let log: Log
    private let loop: InvocationLoop

    init(settings: FunctionSettings, api: any RuntimeAPI, logger: Logger) throws {
        let time = SystemTime()
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let storage = try openStorage(ProcessInfo.processInfo.environment, time, registry, logger)
        log = Log(
            table: storage.table, segments: storage.segments, time: storage.time,
            makeAppendID: {
                var generator = SystemRandomNumberGenerator()
                return AppendID(using: &generator)
            }, configuration: storage.configuration, logger: logger)
        registry.observe(log.counters)
        var configuration = StreamsHandler.Configuration(storeName: "aws", version: Version.current)
        configuration.allowedOrigins = settings.allowedOrigins
        let function = StreamsFunction(
            log: log, configuration: configuration, streamsAnswers: settings.streamsResponses, time: time,
            metrics: RequestMetrics(factory: registry), logger: logger
        ) { registry.text }
        loop = InvocationLoop(api: api, handler: function, logger: logger)
    }

    /// Answers events until SIGTERM, which Lambda sends where extensions are registered.
    ///
    /// - Throws: where the Runtime API is lost.
    func run() async throws(RuntimeAPIError) {
        let signals = await UnixSignalsSequence(trapping: .sigterm)
        let outcome = await withTaskGroup(of: Result<Void, RuntimeAPIError>?.self) { group in
            group.addTask {
                await log.run()
                return nil
            }
            group.addTask {
                for await _ in signals { break }
                return Task.isCancelled ? nil : .success(())
            }
            group.addTask {
                do throws(RuntimeAPIError) {
                    return .success(try await loop.run())
                } catch {
                    return .failure(error)
                }
            }
            var outcome: Result<Void, RuntimeAPIError> = .success(())
            for await ended in group {
                guard let ended else { continue }
                // Of the two that can end, the first says how; the other is told to.
                if case .failure = ended { outcome = ended }
                group.cancelAll()
                log.close()
            }
            return outcome
        }
        try outcome.get()
    }
}

/// Where the messages are.
struct Storage {
    var table: any Table
    var segments: any SegmentStore
    var time: any TimeSource
    var configuration: LogConfiguration
}

/// Opens the store that the settings name; makes no call yet.
private func openStorage(
    _ environment: [String: String], _ time: SystemTime, _ registry: PrometheusRegistry, _ logger: Logger
) throws -> Storage {
    let settings = try AWSStoreSettings(AWSStoreSettings.Texts(environment: environment))
    let connection = AWSConnection(
        try AWSConfiguration(environment: environment), clock: AWSClock(time, logger: logger), logger: logger)
    let store = AWSStore(settings.store, connection: connection, logger: logger)
    registry.observeCalls("streams_aws_requests_total") { connection.counters.snapshot.requests }
    registry.observeCalls("streams_aws_retries_total") { connection.counters.snapshot.retries }
    registry.observeCalls("streams_aws_throttles_total") { connection.counters.snapshot.throttles }
    var configuration = LogConfiguration.shared
    configuration.recoveryWait = settings.recoveryWait
    return Storage(table: store, segments: store, time: connection.clock, configuration: configuration)
}

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
