import AWSSigning
package import Logging
import NIOHTTP1
import StreamsCore
import StreamsModel
import Synchronization

/// What the clients of S3 and DynamoDB share: region, endpoints, credentials, clock, retries and counters.
///
/// Making one sends nothing; region and credentials that must be asked for are asked for by the first call.
package final class AWSConnection: Sendable {
    /// The clock that signs, and that AWS corrects.
    ///
    /// The log should run on the same one.
    package let clock: AWSClock
    /// The requests sent so far.
    package let counters = AWSRequestCounters()
    /// The times of calls and tries.
    package let policy: AWSRetryPolicy

    let configuration: AWSConfiguration
    let logger: Logger
    private let transport: any AWSTransport
    private let credentials: CredentialsCache
    private let budget: RetryBudget
    private let signingKeys = SigningKeys()
    private let signs: Bool
    private let jitter: @Sendable (Duration) -> Duration
    private let foundRegion = Mutex<String?>(nil)

    /// Makes a connection.
    ///
    /// `jitter` draws a pause between zero and a bound, and without `signs` requests carry the time but no signature;
    /// only tests give others than the defaults.
    package init(
        _ configuration: AWSConfiguration, clock: AWSClock, logger: Logger,
        transport: any AWSTransport = HTTPTransport.shared, credentials: (any CredentialsSource)? = nil,
        policy: AWSRetryPolicy = AWSRetryPolicy(), signs: Bool = true,
        jitter: @escaping @Sendable (Duration) -> Duration = { $0 * Double.random(in: 0...1) }
    ) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.transport = transport
        self.policy = policy
        self.jitter = jitter
        self.signs = signs
        self.budget = RetryBudget(tokens: policy.budgetTokens)
        self.credentials = CredentialsCache(
            credentials ?? CredentialsChain(configuration, transport: transport), time: clock, logger: logger)
    }

    /// The region, from the environment or the profile, or asked of the instance once.
    ///
    /// - Throws: `noRegion` where none of them knows it.
    package func region() async throws(AWSError) -> String {
        if let region = configuration.region ?? foundRegion.withLock({ $0 }) { return region }
        let metadata = InstanceMetadata(environment: configuration.environment, transport: transport)
        guard let region = try await metadata.region() else {
            throw AWSError(
                .noRegion, effect: .none,
                "No AWS region is set. Set AWS_REGION, such as AWS_REGION=eu-central-1, or give the profile a region.")
        }
        foundRegion.withLock { $0 = region }
        return region
    }

    /// Performs a call: tries until there is an answer, the failure is one that stays, or the time is up.
    ///
    /// `deadline` is a time of the clock's uptime; without one the policy's time for a call counts from now.
    ///
    /// - Throws: what the last try met; `effect` tells of all tries.
    func perform(_ call: AWSCall, deadline: Duration?) async throws(AWSError) -> AWSAnswer {
        let deadline = deadline ?? clock.uptime() + policy.callTime
        var retries = CallRetries(policy, isWrite: call.isWrite)
        var isRetry = false
        while true {
            let failure: TryFailure
            switch try await attempt(call, deadline: deadline, isRetry: isRetry, effectSoFar: retries.effect) {
            case .success(let answer):
                budget.give(retries.gain)
                return answer
            case .failure(let failed): failure = failed
            }
            guard case .retry(let pauseMaximum, let cost) = retries.step(after: failure),
                await pause(upTo: pauseMaximum, cost: cost, deadline: deadline)
            else {
                throw AWSError(
                    failure.code, effect: retries.effect, failure.message, requestID: failure.requestID)
            }
            logger.debug(
                "trying a call to AWS again", metadata: ["call": "\(call.meter)", "after": "\(failure.message)"])
            isRetry = true
        }
    }

    /// Waits before a retry; returns whether there may be one.
    private func pause(upTo maximum: Duration, cost: Int, deadline: Duration) async -> Bool {
        let pause = maximum > .zero ? jitter(maximum) : .zero
        guard clock.uptime() + pause < deadline, budget.take(cost) else { return false }
        guard pause > .zero else { return !Task.isCancelled }
        do {
            try await clock.sleep(for: pause)
        } catch {
            return false
        }
        return true
    }
}

/// How one try went.
enum TryOutcome {
    case success(AWSAnswer)
    case failure(TryFailure)
}

extension AWSConnection {
    private func attempt(
        _ call: AWSCall, deadline: Duration, isRetry: Bool, effectSoFar: StoreError.Effect
    ) async throws(AWSError) -> TryOutcome {
        let region: String
        let credentials: AWSCredentials
        do {
            region = try await self.region()
            credentials = try await self.credentials.credentials()
        } catch {
            throw AWSError(error.code, effect: effectSoFar, error.message, requestID: error.requestID)
        }
        let time = min(policy.tryTime, deadline - clock.uptime())
        guard time > .zero else {
            return .failure(
                TryFailure(
                    kind: .permanent, effect: .none, code: .unavailable,
                    message: "\(call.service.name) \(call.operation) on \(call.resource): there was no time to send it."
                ))
        }
        let sentAt = clock.now()
        let signedAt = call.signedAt ?? sentAt
        let request = RequestBuilder(
            configuration: configuration, region: region, keys: signingKeys, signs: signs
        ).request(for: call, credentials: credentials, signedAt: signedAt)
        counters.countRequest(call.meter, isRetry: isRetry)
        do {
            let answer = try await transport.send(request, timeout: time)
            let context = RefusalMessage.Context(call: call, region: region, credentials: credentials)
            return judge(answer, context, sentAt: sentAt, signedAt: signedAt)
        } catch {
            return .failure(Self.failure(error, call: call, url: request.url))
        }
    }

    private func judge(
        _ answer: AWSTransportAnswer, _ context: RefusalMessage.Context, sentAt: Timestamp, signedAt: Timestamp
    ) -> TryOutcome {
        // A proxy's own answers carry its own time.
        if answer.requestID != nil, let date = answer.headers.first(name: "date").flatMap(TimeText.http) {
            clock.observe(date, sentAt: sentAt, receivedAt: clock.now())
        }
        if (200..<300).contains(answer.status) { return .success(AWSAnswer(answer: answer)) }
        let call = context.call
        let refusal =
            call.service == .s3
            ? AWSRefusal.s3(answer, isHead: call.method == .HEAD) : AWSRefusal.dynamoDB(answer)
        if call.expectedCodes.contains(refusal.code) { return .success(AWSAnswer(answer: answer, refusal: refusal)) }
        var (kind, code) = RefusalMeaning.of(refusal)
        switch kind {
        case .throttled: counters.countThrottle(call.meter)
        case .expiredCredentials: credentials.drop(context.credentials)
        case .clockSkew:
            // A given time is not changed: that it comes too late is what the log relies on.
            if call.signedAt != nil { code = .signedTooLongAgo }
            kind = .clockSkew(isCorrected: call.signedAt == nil && Self.isOff(clock.now(), from: signedAt))
        default: break
        }
        let message = RefusalMessage.text(refusal, code: code, context)
        return .failure(
            TryFailure(
                kind: kind, effect: RefusalMeaning.effect(kind), code: code, message: message,
                requestID: refusal.requestID))
    }

    /// Whether the clock was corrected, by this answer or another, since a request was signed.
    private static func isOff(_ now: Timestamp, from signedAt: Timestamp) -> Bool {
        let difference = signedAt.duration(to: now)
        return difference > .seconds(25) || difference < .seconds(-25)
    }

    private static func failure(_ failure: AWSTransportFailure, call: AWSCall, url: String) -> TryFailure {
        let kind: TryFailure.Kind =
            switch failure.kind {
            case .notConnected: .notConnected
            case .connectionClosed: .connectionClosed
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            case .unsendable: .permanent
            }
        let host = url.split(separator: "/", maxSplits: 2).dropFirst().first ?? ""
        let what = "\(call.service.name) \(call.operation) on \(call.resource)"
        let message =
            switch failure.kind {
            case .notConnected:
                "\(what): no connection to \(host) (\(failure.cause)). Check the network and AWS_ENDPOINT_URL."
            case .connectionClosed: "\(what): the connection to \(host) broke (\(failure.cause))."
            case .timedOut: "\(what): no answer from \(host) in time."
            case .cancelled: "\(what): cancelled."
            case .unsendable: "\(what): the request cannot be sent (\(failure.cause))."
            }
        return TryFailure(
            kind: kind, effect: failure.isSent ? .unknown : .none, code: code(of: failure.kind), message: message)
    }

    private static func code(of kind: AWSTransportFailure.Kind) -> AWSError.Code {
        switch kind {
        case .notConnected, .connectionClosed, .timedOut: .unavailable
        case .cancelled: .cancelled
        case .unsendable: .badSetting
        }
    }
}
