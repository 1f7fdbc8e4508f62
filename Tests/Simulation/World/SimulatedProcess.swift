import AWSSigning
import Logging
import NIOCore
import StreamsAWS
import StreamsCore
import StreamsModel
import Synchronization

/// One process: the real log over the real store on AWS, on a network and with clocks that are simulated.
final class SimulatedProcess: Sendable {
    /// Its name: the place that it runs at and how often that was started.
    let name: String
    /// Runs its tasks.
    let executor: ProcessExecutor
    /// Its clocks.
    let clock: ProcessClock
    /// The log, as in a server.
    let log: Log

    let store: AWSStore
    private let transport: SimulatedTransport
    private let network: Network
    private let life = Mutex<Bool>(true)
    private let lastsForDays: Bool

    /// Starts nothing yet: `run()` of the ``log`` does.
    init(
        name: String, network: Network, clockOffset: Int64, retentionDays: Int?, hasCache: Bool = false,
        configuration: LogConfiguration,
        makeAppendID: @escaping @Sendable () -> AppendID
    ) throws(AWSError) {
        self.name = name
        self.network = network
        executor = ProcessExecutor(network.scheduler)
        clock = ProcessClock(network.scheduler, offset: clockOffset)
        transport = SimulatedTransport(network)
        lastsForDays = retentionDays != nil
        let logger = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }
        let choices = network.choices
        let connection = AWSConnection(
            try Self.configuration(), clock: AWSClock(clock, logger: logger), logger: logger, transport: transport,
            // Nobody here checks a signature, and to make them took a quarter of all time.
            credentials: FixedCredentials(), signs: false,
            jitter: { $0 * (Double(choices.below(1000)) / 1000) })
        store = AWSStore(
            AWSStore.Configuration(bucket: "bucket", table: "table", retentionDays: retentionDays),
            connection: connection, logger: logger)
        log = Log(
            table: store, segments: hasCache ? CachingSegmentStore(store, bytesMaximum: 1_000_000) : store,
            time: connection.clock, makeAppendID: makeAppendID,
            configuration: configuration, logger: logger)
        transport.belong(to: self)
    }

    private static func configuration() throws(AWSError) -> AWSConfiguration {
        try AWSConfiguration(environment: ["AWS_REGION": "eu-central-1"], readFile: { _ in nil })
    }

    /// Whether it has not died.
    var isAlive: Bool { life.withLock { $0 } }

    /// Dies at once: nothing that it sends from now on arrives, and nobody hears of what it does.
    ///
    /// Its tasks end by themselves: whatever they call fails.
    func crash(_ moment: String) {
        let wasAlive = life.withLock { isAlive in
            defer { isAlive = false }
            return isAlive
        }
        guard wasAlive else { return }
        network.trace.note { "\(name) dies \(moment)" }
        executor.thaw()
        clock.stop()
        transport.stop()
        log.close()
    }

    /// Stands still for seconds, minutes, hours or, in worlds that last so long, days, with whatever it is doing.
    func freeze() {
        guard isAlive else { return }
        let choices = network.choices
        let isLong = lastsForDays && choices.happens(permille: 300)
        let microseconds = choices.microseconds(
            1_000_000...(isLong ? 300_000_000_000 : choices.one(of: [10_000_000, 1_200_000_000, 7_200_000_000])))
        freeze(microseconds: microseconds)
    }

    /// Stands still for so long.
    func freeze(microseconds: Int64) {
        network.trace.note { "\(name) stands still for \(microseconds / 1_000_000) s" }
        executor.freeze()
        network.scheduler.after(microseconds) { self.executor.thaw() }
    }
}

/// The network as one process sees it.
final class SimulatedTransport: AWSTransport {
    private struct Owner {
        // The process holds its transport.
        weak var process: SimulatedProcess?
    }

    private let owner = Mutex(Owner())
    private let network: Network
    private let exchanges = OpenWaits<Result<AWSTransportAnswer, AWSTransportFailure>>()

    init(_ network: Network) {
        self.network = network
    }

    /// Says whose requests it carries.
    func belong(to process: SimulatedProcess) {
        owner.withLock { $0.process = process }
    }

    func send(
        _ request: AWSTransportRequest, timeout: Duration
    ) async throws(AWSTransportFailure) -> AWSTransportAnswer {
        let cancelled = AWSTransportFailure(.cancelled, isSent: true, cause: "simulated")
        guard let process = owner.withLock({ $0.process }), let request = SimulatedRequest(request) else {
            throw AWSTransportFailure(.unsendable, isSent: false, cause: "the simulation does not know the request")
        }
        if network.meets(.crash) { process.crash("before \(request.name)") }
        guard !exchanges.isEnded else {
            await network.scheduler.giveWay()
            throw cancelled
        }
        if network.meets(.notConnected) {
            throw AWSTransportFailure(.notConnected, isSent: false, cause: "simulated")
        }
        let result = await exchanges.value(whenCancelled: .failure(cancelled)) { exchange in
            network.send(request, from: process, exchange)
            network.scheduler.after(timeout.wholeMicroseconds) {
                exchange.resolve(.failure(AWSTransportFailure(.timedOut, isSent: true, cause: "simulated")))
            }
        }
        return try (result ?? .failure(cancelled)).get()
    }

    /// Ends all that is waited for, and sends nothing any more.
    func stop() {
        exchanges.end(with: .failure(AWSTransportFailure(.cancelled, isSent: true, cause: "the process died")))
    }
}

private struct FixedCredentials: CredentialsSource {
    func find() async throws(AWSError) -> AWSCredentials? {
        AWSCredentials(accessKeyID: "AKIASIMULATED", secretAccessKey: "secret", sessionToken: nil)
    }
}
