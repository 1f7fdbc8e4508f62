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

    init(
        _ settings: FunctionSettings, _ storeSettings: AWSStoreSettings, environment: [String: String],
        api: any RuntimeAPI, logger: Logger
    ) throws(AWSError) {
        let time = SystemTime()
        let registry = PrometheusRegistry()
        MetricsSystem.bootstrap(registry)
        let aws = try AWSStorage(storeSettings, environment: environment, time: time, logger: logger)
        for metric in aws.requestCounts { registry.observeCalls(metric.name, metric.counts) }
        log = Log(
            table: aws.store, segments: aws.store, time: aws.connection.clock, makeAppendID: AppendID.random,
            configuration: aws.logConfiguration, logger: logger)
        registry.observe(log.counters)
        registry.observe(log.groupCounters)
        var configuration = StreamsHandler.Configuration(storeName: "aws", version: Version.current)
        configuration.allowedOrigins = settings.allowedOrigins
        let function = StreamsFunction(
            log: log, mergingStore: aws.store, configuration: configuration,
            streamsAnswers: settings.streamsResponses, time: time, metrics: RequestMetrics(factory: registry),
            logger: logger
        ) { registry.text }
        loop = InvocationLoop(
            api: api,
            handler: metered(
                function, name: environment["AWS_LAMBDA_FUNCTION_NAME"], log.counters, aws.connection, time),
            logger: logger)
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

/// The function with its metrics, where it runs under a name; by hand it has none, and its log is only a log.
private func metered(
    _ function: StreamsFunction, name: String?, _ counters: LogCounters, _ connection: AWSConnection, _ time: SystemTime
) -> any InvocationHandler {
    guard let name, !name.isEmpty else { return function }
    return MeteredFunction(function, name: name, time: time) {
        let calls = connection.counters.snapshot
        return MeteredFunction.Counts(
            log: counters.snapshot, requests: calls.requests, throttles: calls.throttles.values.reduce(0, +))
    }
}
