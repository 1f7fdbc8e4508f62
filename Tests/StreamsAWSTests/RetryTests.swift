import NIOHTTP1
import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Retries")
struct RetryTests {
    @Test(
        "what passes is tried again, with pauses that double up to their bound",
        arguments: [
            Answers.s3(503, "SlowDown"), Answers.s3(500, "InternalError"),
            Answers.s3(409, "ConditionalRequestConflict"),
            Answers.s3(429, "Whatever"), Answers.s3(400, "RequestTimeout"),
            Answers.failure(.notConnected, isSent: false),
            Answers.failure(.timedOut, isSent: true),
        ])
    func passing(_ answer: @escaping ScriptedTransport.Answer) async throws {
        let clients = try ScriptedClients(Array(repeating: answer, count: 7) + [Answers.object()])
        #expect(try await clients.put() == .stored(etag: "\"e\""))
        #expect(
            clients.time.pauses == [50, 100, 200, 400, 800, 1600, 2000].map { .milliseconds($0) })
        let counts = clients.connection.counters.snapshot
        #expect(counts.requests == ["s3.PutObject": 8])
        #expect(counts.retries == ["s3.PutObject": 7])
    }

    @Test(
        "what stays is not tried again, and certainly had no effect",
        arguments: [
            (Answers.s3(403, "AccessDenied"), .accessDenied), (Answers.s3(404, "NoSuchBucket"), .noSuchBucket),
            (Answers.s3(301, "PermanentRedirect"), .wrongRegion),
            (Answers.s3(400, "InvalidArgument"), .other("InvalidArgument")),
            (Answers.s3(403, "SignatureDoesNotMatch"), .invalidSignature),
            (Answers.s3(403, "InvalidAccessKeyId"), .invalidCredentials),
        ] as [(ScriptedTransport.Answer, AWSError.Code)])
    func staying(_ answer: @escaping ScriptedTransport.Answer, code: AWSError.Code) async throws {
        let clients = try ScriptedClients([answer])
        let error = await #expect(throws: AWSError.self) { try await clients.put() }
        #expect(error?.code == code)
        #expect(error?.effect == StoreError.Effect.none)
        #expect(clients.transport.requests.count == 1)
    }

    @Test("a write that was sent and not answered has an unknown effect, whatever the next tries say")
    func unknownEffect() async throws {
        for lost in [
            Answers.failure(.connectionClosed, isSent: true), Answers.failure(.timedOut, isSent: true),
            Answers.s3(500, "InternalError"),
        ] {
            let clients = try ScriptedClients([lost, Answers.s3(403, "AccessDenied")])
            let error = await #expect(throws: AWSError.self) { try await clients.put() }
            #expect(error?.effect == .unknown)
            #expect(error?.code == .accessDenied)
        }
    }

    @Test("a write that never left, or was throttled until the end, had no effect; nor has a read")
    func noEffect() async throws {
        for answer in [
            Answers.failure(.notConnected, isSent: false), Answers.s3(503, "SlowDown"),
            Answers.s3(409, "ConditionalRequestConflict"),
        ] {
            let clients = try ScriptedClients([answer])
            let error = await #expect(throws: AWSError.self) { try await clients.put() }
            #expect(error?.effect == StoreError.Effect.none)
        }
        let clients = try ScriptedClients([Answers.failure(.timedOut, isSent: true)])
        let error = await #expect(throws: AWSError.self) { try await clients.s3.getObject("key") }
        #expect(error?.effect == StoreError.Effect.none)
    }

    @Test("a condition that fails after a lost answer is a failed condition: the caller looks who was there")
    func conditionAfterLoss() async throws {
        let clients = try ScriptedClients([
            Answers.failure(.connectionClosed, isSent: true), Answers.s3(412, "PreconditionFailed"),
        ])
        #expect(try await clients.put() == .conditionFailed)
    }

    @Test("a closed connection is tried again at once, but only the first time")
    func reconnects() async throws {
        let closed = Answers.failure(.connectionClosed, isSent: true)
        let clients = try ScriptedClients([closed, closed, Answers.object()])
        _ = try await clients.put()
        #expect(clients.time.pauses == [.milliseconds(50)])
    }

    @Test("no try and no pause goes past the deadline")
    func deadline() async throws {
        let clients = try ScriptedClients([Answers.s3(503, "SlowDown")])
        let deadline = clients.time.uptime() + .milliseconds(400)
        let error = await #expect(throws: AWSError.self) { try await clients.put(deadline: deadline) }
        #expect(error?.code == .throttled)
        #expect(clients.time.pauses == [50, 100, 200].map { .milliseconds($0) })
        #expect(clients.transport.timeouts == [400, 350, 250, 50].map { .milliseconds($0) })
        #expect(clients.connection.counters.snapshot.throttles == ["s3.PutObject": 4])
    }

    @Test("without a deadline a call ends within the policy's time, and a try within its own")
    func bounds() async throws {
        let clients = try ScriptedClients([Answers.s3(500, "InternalError")])
        _ = await #expect(throws: AWSError.self) { try await clients.put() }
        #expect(clients.time.uptime() <= .seconds(10))
        #expect(clients.transport.timeouts.first == .seconds(5))
    }

    @Test("a deadline that has passed sends nothing")
    func past() async throws {
        let clients = try ScriptedClients([Answers.object()])
        let error = await #expect(throws: AWSError.self) { try await clients.put(deadline: .zero) }
        #expect(error?.code == .unavailable && error?.effect == StoreError.Effect.none)
        #expect(clients.transport.requests.isEmpty)
    }

    @Test("retries end when the process has used up its budget, and successes fill it again")
    func budget() async throws {
        let clients = try ScriptedClients(
            [
                Answers.s3(500, "InternalError"), Answers.s3(500, "InternalError"), Answers.s3(500, "InternalError"),
                Answers.object(),
            ],
            budgetTokens: 10)
        _ = await #expect(throws: AWSError.self) { try await clients.put() }
        #expect(clients.transport.requests.count == 3)
        let budget = RetryBudget(tokens: 10)
        #expect(budget.take(10) && !budget.take(1))
        budget.give(4)
        budget.give(100)
        #expect(budget.remaining == 10)
    }

    @Test("a cancelled task ends its call at the next pause")
    func cancelled() async throws {
        let clients = try ScriptedClients([Answers.s3(500, "InternalError")])
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await clients.put()
        }
        await #expect(throws: AWSError.self) { try await task.value }
        #expect(clients.transport.requests.count == 1)
    }

    @Test(
        "DynamoDB's codes are tried again or not as its documents say",
        arguments: [
            ("ProvisionedThroughputExceededException", true), ("ThrottlingException", true),
            ("RequestLimitExceeded", true), ("InternalServerError", false), ("ValidationException", false),
            ("ResourceNotFoundException", false), ("AccessDeniedException", false),
            ("ItemCollectionSizeLimitExceededException", false), ("TransactionConflictException", true),
        ])
    func dynamoDB(code: String, isRetried: Bool) async throws {
        let clients = try ScriptedClients([Answers.dynamoDB(400, code), Answers.item()])
        if isRetried {
            #expect(try await clients.dynamoDB.getItem(["pk": .string("a")]) == nil)
        } else {
            await #expect(throws: AWSError.self) { try await clients.dynamoDB.getItem(["pk": .string("a")]) }
        }
        #expect(clients.transport.requests.count == (isRetried ? 2 : 1))
    }
}
