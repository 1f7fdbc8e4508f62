import ServiceLifecycle

/// Something that runs until it is closed, as a service.
///
/// A graceful shutdown closes it, and its run finishes what it has accepted. So does the failure of another service,
/// such as one that can not have its port.
package struct BackgroundService: Service {
    private let body: @Sendable () async -> Void
    private let close: @Sendable () -> Void

    /// Makes a service of a run and what ends it.
    package init(run body: @escaping @Sendable () async -> Void, close: @escaping @Sendable () -> Void) {
        self.body = body
        self.close = close
    }

    /// Runs until the shutdown.
    package func run() async {
        await withTaskCancellationOrGracefulShutdownHandler {
            await body()
        } onCancelOrGracefulShutdown: {
            close()
        }
    }
}
