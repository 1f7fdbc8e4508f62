package import AWSSigning
package import Logging
package import StreamsCore
import StreamsModel
import Synchronization

/// Keeps credentials, and fetches newer ones before they expire: one fetch at a time, however many tasks need them.
///
/// There is no task of its own: whoever comes first fetches, the others wait for that, or go on with the old ones
/// while those are valid.
package final class CredentialsCache: Sendable {
    private let source: any CredentialsSource
    private let time: any TimeSource
    private let logger: Logger
    private let state = Mutex(CredentialsState())

    /// Makes an empty cache; nothing is fetched before it is needed.
    package init(_ source: any CredentialsSource, time: any TimeSource, logger: Logger) {
        self.source = source
        self.time = time
        self.logger = logger
    }

    /// Credentials that are valid now.
    ///
    /// - Throws: what the source throws, when there are no valid ones left.
    package func credentials() async throws(AWSError) -> AWSCredentials {
        while true {
            switch state.withLock({ $0.ask(now: time.now(), uptime: time.uptime()) }) {
            case .use(let credentials): return credentials
            case .fetch(let old): return try await fetch(old)
            case .wait:
                if let result = await nextResult() { return try result.get() }
            }
        }
    }

    /// Forgets these credentials, which AWS calls expired, unless newer ones are here already.
    package func drop(_ expired: AWSCredentials) {
        state.withLock { $0.drop(expired) }
    }

    private func fetch(_ old: AWSCredentials?) async throws(AWSError) -> AWSCredentials {
        let result: Result<AWSCredentials, AWSError>
        do throws(AWSError) {
            guard let found = try await source.find() else {
                throw AWSError(.noCredentials, "There are no AWS credentials.")
            }
            result = .success(found)
        } catch {
            result = .failure(error)
        }
        let waiters = state.withLock { $0.finish(result, uptime: time.uptime()) }
        // Cancelled was only the task that fetched: the others look for themselves.
        let isCancelled = if case .failure(let error) = result { error.code == .cancelled } else { false }
        for waiter in waiters { waiter.resume(returning: isCancelled ? nil : result) }
        guard case .failure(let error) = result, let old, !isCancelled else { return try result.get() }
        logger.warning(
            "the AWS credentials could not be renewed; the old ones are used while they are valid",
            metadata: ["error": "\(error.description)"])
        return old
    }

    private func nextResult() async -> Result<AWSCredentials, AWSError>? {
        await withCheckedContinuation { continuation in
            let isFetching = state.withLock { $0.wait(continuation) }
            if !isFetching { continuation.resume(returning: nil) }
        }
    }
}

/// What the cache holds, and what it decides.
struct CredentialsState {
    typealias Waiter = CheckedContinuation<Result<AWSCredentials, AWSError>?, Never>

    enum Step {
        case use(AWSCredentials)
        /// Fetch; the old ones, where they are still valid, serve if that fails.
        case fetch(AWSCredentials?)
        case wait
    }

    private var current: AWSCredentials?
    private var isFetching = false
    private var waiters: [Waiter] = []
    private var nextFetch = Duration.zero

    /// How long before they expire credentials are fetched anew.
    private static let renewalTime = Duration.seconds(300)
    /// The pause after a renewal that failed while the old ones are still valid.
    private static let renewalPause = Duration.seconds(15)

    mutating func ask(now: Timestamp, uptime: Duration) -> Step {
        if let current {
            guard let expiration = current.expiration else { return .use(current) }
            let left = now.duration(to: expiration)
            if left > Self.renewalTime { return .use(current) }
            if left > .zero {
                if isFetching || uptime < nextFetch { return .use(current) }
                isFetching = true
                return .fetch(current)
            }
        }
        if isFetching { return .wait }
        isFetching = true
        return .fetch(nil)
    }

    /// Returns whether a fetch is under way, whose result the waiter will get.
    mutating func wait(_ waiter: Waiter) -> Bool {
        if isFetching { waiters.append(waiter) }
        return isFetching
    }

    mutating func finish(_ result: Result<AWSCredentials, AWSError>, uptime: Duration) -> [Waiter] {
        isFetching = false
        switch result {
        case .success(let credentials): current = credentials
        case .failure: nextFetch = uptime + Self.renewalPause
        }
        defer { waiters = [] }
        return waiters
    }

    mutating func drop(_ expired: AWSCredentials) {
        if current == expired { current = nil }
    }
}
