import Foundation
import Logging

import StreamsCore

@testable import StreamsAWS

/// An emulator of S3 and DynamoDB in a process of its own, one for all tests of a run.
struct EmulatedAWS: Sendable {
    /// What a client needs to reach it.
    let environment: [String: String]
    private let process: ChildProcess

    /// MiniStack: its conditional writes are atomic.
    static let ministack = Task { try await EmulatedAWS("ministack") }
    /// moto behind a lock, checking signatures: the second opinion.
    static let moto = Task { try await EmulatedAWS("moto") }

    private struct Ready: Decodable {
        var endpoint: String
        var region: String
        var access_key_id: String
        var secret_access_key: String
    }

    private init(_ kind: String) async throws {
        process = try ChildProcess(".venv/bin/python", ["-B", "Tests/Integration/emulators.py", kind])
        let line = try await process.line(beginningWith: "{")
        let ready = try JSONDecoder().decode(Ready.self, from: Data(line.utf8))
        environment = [
            "AWS_ENDPOINT_URL": ready.endpoint, "AWS_REGION": ready.region,
            "AWS_ACCESS_KEY_ID": ready.access_key_id, "AWS_SECRET_ACCESS_KEY": ready.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        ]
    }

    /// A store on a bucket and a table that are empty, and the environment that leads another process to them.
    func makeStore() async throws -> (store: AWSStore, environment: [String: String]) {
        let name = "test-\(UInt64.random(in: 0 ... .max))"
        let environment = environment.merging(["BUCKET_NAME": name, "COUNTERS_TABLE": name]) { $1 }
        let store = try Self.store(environment)
        try await store.objects.makeBucket()
        try await store.items.makeTable()
        return (store, environment)
    }

    static func store(_ environment: [String: String]) throws -> AWSStore {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        // A request that is sent again since its answer takes long on a busy machine claims again, and leaves a gap.
        var policy = AWSRetryPolicy()
        (policy.tryTime, policy.callTime) = (.seconds(60), .seconds(120))
        let connection = AWSConnection(
            try AWSConfiguration(environment: environment), clock: AWSClock(SystemTime(), logger: logger),
            logger: logger, policy: policy)
        let settings = try AWSStoreSettings(AWSStoreSettings.Texts(environment: environment))
        return AWSStore(settings.store, connection: connection, logger: logger)
    }
}
