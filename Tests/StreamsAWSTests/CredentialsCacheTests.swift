import AWSSigning
import Logging
import StreamsCore
import StreamsModel
import StreamsTesting
import Synchronization
import Testing

@testable import StreamsAWS

@Suite("Credentials that expire")
struct CredentialsCacheTests {
    private let time = ManualTime()

    @Test("they are fetched once, and anew five minutes before they expire")
    func renewal() async throws {
        let source = ScriptedCredentials([
            fetched("A", validFor: .seconds(3600)), fetched("B", validFor: .seconds(7200)),
        ])
        let cache = cache(source)
        for _ in 0..<3 { #expect(try await cache.credentials().accessKeyID == "A") }
        time.advance(by: .seconds(3299))
        #expect(try await cache.credentials().accessKeyID == "A")
        #expect(source.count == 1)
        time.advance(by: .seconds(2))
        #expect(try await cache.credentials().accessKeyID == "B")
        #expect(source.count == 2)
    }

    @Test("while the old ones are valid, a renewal that fails fails no call and is not repeated at each")
    func failingRenewal() async throws {
        let source = ScriptedCredentials([fetched("A", validFor: .seconds(3600)), failing])
        let cache = cache(source)
        _ = try await cache.credentials()
        time.advance(by: .seconds(3400))
        for _ in 0..<3 { #expect(try await cache.credentials().accessKeyID == "A") }
        #expect(source.count == 2)
        time.advance(by: .seconds(20))
        #expect(try await cache.credentials().accessKeyID == "A")
        #expect(source.count == 3)
        time.advance(by: .seconds(200))
        await #expect(throws: AWSError.self) { try await cache.credentials() }
    }

    @Test("many tasks at once fetch once")
    func singleFlight() async throws {
        let gate = Gate()
        let source = ScriptedCredentials([
            {
                try? await gate.pass()
                return .success(AWSCredentials(accessKeyID: "A", secretAccessKey: "s", sessionToken: nil))
            }
        ])
        let cache = cache(source)
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<20 { group.addTask { try await cache.credentials().accessKeyID } }
            while source.count == 0 { await Task.yield() }
            gate.open()
            for try await key in group { #expect(key == "A") }
        }
        #expect(source.count == 1)
    }

    @Test("when the task that fetches is cancelled, another one fetches")
    func cancelled() async throws {
        let source = ScriptedCredentials([
            { .failure(AWSError(.cancelled, "Cancelled.")) }, fetched("A", validFor: nil),
        ])
        let cache = cache(source)
        await #expect(throws: AWSError.self) { try await cache.credentials() }
        #expect(try await cache.credentials().accessKeyID == "A")
    }

    @Test("credentials that AWS calls expired are fetched anew for one more try")
    func expired() async throws {
        let clients = try ScriptedClients(
            [Answers.s3(400, "ExpiredToken"), Answers.object()], credentials: ScriptedCredentials("OLD", "NEW"))
        #expect(try await clients.put() == .stored(etag: "\"e\""))
        let keys = clients.transport.requests.compactMap { $0.header("authorization")?.split(separator: "/").first }
        #expect(keys == ["AWS4-HMAC-SHA256 Credential=OLD", "AWS4-HMAC-SHA256 Credential=NEW"])
        let hopeless = try ScriptedClients([Answers.dynamoDB(400, "ExpiredTokenException")])
        let error = await #expect(throws: AWSError.self) { try await hopeless.dynamoDB.getItem([:]) }
        #expect(error?.code == .expiredCredentials)
        #expect(hopeless.transport.requests.count == 2)
    }

    private func cache(_ source: ScriptedCredentials) -> CredentialsCache {
        CredentialsCache(source, time: time, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func fetched(_ key: String, validFor duration: Duration?) -> ScriptedCredentials.Answer {
        let expiration = duration.map { time.now().advanced(by: $0) }
        return {
            .success(AWSCredentials(accessKeyID: key, secretAccessKey: "s", sessionToken: nil, expiration: expiration))
        }
    }

    private let failing: ScriptedCredentials.Answer = { .failure(AWSError(.noCredentials, "None.")) }
}
