import AWSSigning
import Logging
import NIOHTTP1
import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization

/// Answers requests as a test says, and keeps them.
final class ScriptedTransport: AWSTransport {
    typealias Answer = @Sendable (AWSTransportRequest) -> Result<AWSTransportAnswer, AWSTransportFailure>

    private struct State {
        var requests: [AWSTransportRequest] = []
        var timeouts: [Duration] = []
        var answers: [Answer]
    }

    private let state: Mutex<State>

    /// Gives these answers in order; the last one again and again.
    init(_ answers: [Answer]) {
        state = Mutex(State(answers: answers))
    }

    var requests: [AWSTransportRequest] { state.withLock { $0.requests } }
    var timeouts: [Duration] { state.withLock { $0.timeouts } }

    func send(
        _ request: AWSTransportRequest, timeout: Duration
    ) async throws(AWSTransportFailure) -> AWSTransportAnswer {
        let answer = state.withLock { state in
            state.requests.append(request)
            state.timeouts.append(timeout)
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers.first
        }
        guard let answer else {
            throw AWSTransportFailure(.notConnected, isSent: false, cause: "no answer in the script")
        }
        return try answer(request).get()
    }
}

/// Answers of AWS.
enum Answers {
    static func s3(_ status: Int, _ code: String, headers: HTTPHeaders = [:]) -> ScriptedTransport.Answer {
        let body = "<Error><Code>\(code)</Code><Message>A message.</Message><RequestId>R1</RequestId></Error>"
        return { _ in .success(AWSTransportAnswer(status: status, headers: headers, body: Array(body.utf8))) }
    }

    static func dynamoDB(
        _ status: Int, _ code: String, message: String = "A message.", headers: HTTPHeaders = [:]
    ) -> ScriptedTransport.Answer {
        let body = #"{"__type":"com.amazonaws.dynamodb.v20120810#\#(code)","message":"\#(message)"}"#
        return { _ in .success(AWSTransportAnswer(status: status, headers: headers, body: Array(body.utf8))) }
    }

    static func ok(_ body: String = "", headers: HTTPHeaders = [:]) -> ScriptedTransport.Answer {
        { _ in .success(AWSTransportAnswer(status: 200, headers: headers, body: Array(body.utf8))) }
    }

    /// S3's answer to an object that is stored or fetched.
    static func object(_ body: String = "", headers: HTTPHeaders = [:]) -> ScriptedTransport.Answer {
        var headers = headers
        headers.add(name: "ETag", value: "\"e\"")
        return ok(body, headers: headers)
    }

    /// DynamoDB's answer to a call that it has done.
    static func item(_ body: String = "{}") -> ScriptedTransport.Answer {
        ok(body, headers: ["Content-Type": "application/x-amz-json-1.0"])
    }

    static func failure(_ kind: AWSTransportFailure.Kind, isSent: Bool) -> ScriptedTransport.Answer {
        { _ in .failure(AWSTransportFailure(kind, isSent: isSent, cause: "test")) }
    }
}

/// A clock on which sleeping takes no time of the test: it moves the clock instead, and is noted.
final class LeapingTime: TimeSource {
    let manual = ManualTime()
    private let noted = Mutex<[Duration]>([])

    var pauses: [Duration] { noted.withLock { $0 } }

    func now() -> Timestamp { manual.now() }
    func uptime() -> Duration { manual.uptime() }

    func sleep(for duration: Duration) async throws {
        try Task.checkCancellation()
        noted.withLock { $0.append(duration) }
        manual.advance(by: duration)
    }
}

/// Gives credentials as a test says.
final class ScriptedCredentials: CredentialsSource {
    typealias Answer = @Sendable () async -> Result<AWSCredentials, AWSError>

    private let state: Mutex<(answers: [Answer], count: Int)>

    /// Gives these in order; the last one again and again.
    init(_ answers: [Answer]) {
        state = Mutex((answers, 0))
    }

    convenience init(_ keys: String...) {
        self.init(
            keys.map { key in
                { .success(AWSCredentials(accessKeyID: key, secretAccessKey: "secret", sessionToken: nil)) }
            })
    }

    var count: Int { state.withLock { $0.count } }

    func find() async throws(AWSError) -> AWSCredentials? {
        let answer = state.withLock { state in
            state.count += 1
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers.first
        }
        return try await answer?().get()
    }
}

/// Clients on a transport that a test writes.
struct ScriptedClients {
    let time = LeapingTime()
    let transport: ScriptedTransport
    let connection: AWSConnection
    let s3: S3Client
    let dynamoDB: DynamoDBClient

    init(
        _ answers: [ScriptedTransport.Answer], environment: [String: String] = [:], budgetTokens: Int = 500,
        credentials: ScriptedCredentials = ScriptedCredentials("AKID")
    ) throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var policy = AWSRetryPolicy()
        policy.budgetTokens = budgetTokens
        transport = ScriptedTransport(answers)
        connection = AWSConnection(
            try AWSConfiguration(
                environment: ["AWS_REGION": "eu-central-1"].merging(environment) { $1 }, readFile: { _ in nil }),
            clock: AWSClock(time, logger: logger), logger: logger, transport: transport, credentials: credentials,
            policy: policy, jitter: { $0 })
        s3 = S3Client(connection, bucket: "bucket")
        dynamoDB = DynamoDBClient(connection, table: "table")
    }

    func put(signedAt: Timestamp? = nil, deadline: Duration? = nil) async throws(AWSError) -> S3PutOutcome {
        try await s3.putObject(
            "key", body: Array("body".utf8), contentType: "text/plain", condition: .ifNoneMatch, signedAt: signedAt,
            deadline: deadline)
    }
}

extension AWSTransportRequest {
    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}
