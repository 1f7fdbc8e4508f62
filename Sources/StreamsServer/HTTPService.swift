import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
package import StreamsHTTP
package import StreamsMetrics

/// The API on a socket: Hummingbird's server with ``ConnectionChannel`` on each connection.
package struct HTTPService: Service {
    /// Where to listen and how long to be patient.
    package struct Configuration: Sendable {
        /// The address to bind.
        package var host = "127.0.0.1"
        /// The port; 0 for any free one.
        package var port: Int
        /// Bounds on slow connections.
        package var timeouts = ConnectionTimeouts()

        /// Makes settings.
        package init(port: Int) {
            self.port = port
        }
    }

    private let handler: StreamsHandler
    private let configuration: Configuration
    private let metrics: RequestMetrics
    private let logger: Logger
    private let onReady: @Sendable (_ port: Int) async -> Void

    /// Makes the service; `onReady` is told the port once connections are accepted.
    package init(
        handler: StreamsHandler, configuration: Configuration, metrics: RequestMetrics, logger: Logger,
        onReady: @escaping @Sendable (_ port: Int) async -> Void
    ) {
        self.handler = handler
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        self.onReady = onReady
    }

    /// A service that runs on an event loop, as the connections do: what it does for them costs no change of threads.
    package static func besideConnections(
        run body: @escaping @Sendable () async -> Void, close: @escaping @Sendable () -> Void
    ) -> BackgroundService {
        let executor = EventLoopExecutor(MultiThreadedEventLoopGroup.singleton.next())
        return BackgroundService(
            run: { await withTaskExecutorPreference(executor) { await body() } }, close: close)
    }

    /// Serves until a graceful shutdown, which lets requests under way finish.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = ConnectionChannel(
            handler: handler, timeouts: configuration.timeouts, executors: EventLoopExecutors(group), metrics: metrics,
            logger: logger)
        // Hummingbird reports its start in words of its own; ours is one line, written by onReady.
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        let server = channel.server(
            configuration: ServerConfiguration(address: .hostname(configuration.host, port: configuration.port)),
            onServerRunning: { await onReady($0.localAddress?.port ?? configuration.port) },
            eventLoopGroup: group, logger: quiet)
        try await server.run()
    }
}
