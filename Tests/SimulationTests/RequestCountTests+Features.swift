import StreamsAWS
import StreamsCore
import StreamsModel

/// The costs of what is built on appending and reading.
extension RequestCountTests {
    private typealias Operation = @Sendable (Log, AWSStore, TopicName) async throws -> Void

    private static func keyed(_ key: String) throws -> AppendConditions {
        let digest = RequestDigest([UInt8](repeating: 1, count: 32))
        return AppendConditions(
            idempotency: try digest.map { AppendConditions.Idempotency(key: try IdempotencyKey(key), digest: $0) })
    }

    private static func group(of topic: TopicName) throws -> GroupKey {
        GroupKey(topic: topic, name: try GroupName("g"))
    }

    private static func receive(_ log: Log, _ topic: TopicName) async throws -> Received {
        try await log.receive(
            ReceiveRequest(group: try group(of: topic), consumer: "c", limit: 10, bytesMaximum: 1_000_000))
    }

    private static let received: Operation = { log, _, topic in _ = try await receive(log, topic) }

    static let conditionRows: [Row] = [
        Row(
            name: "produce with an idempotency key", appends: 1,
            requests: ["dynamodb.GetItem": 1, "dynamodb.UpdateItem": 1, "dynamodb.PutItem": 1, "s3.PutObject": 1]
        ) { log, _, topic in try await append(log, topic, try keyed("k")) },
        Row(
            name: "the same request again", appends: 1,
            prepare: { log, _, topic in try await append(log, topic, try keyed("k")) },
            requests: ["dynamodb.GetItem": 2, "s3.GetObject": 1]
        ) { log, _, topic in try await append(log, topic, try keyed("k")) },
        Row(
            name: "produce with an expected offset", appends: 1,
            requests: ["dynamodb.UpdateItem": 1, "s3.PutObject": 1]
        ) { log, _, topic in try await append(log, topic, AppendConditions(expectedOffset: Offset(2))) },
        Row(name: "set a fencing token", appends: 1, requests: ["dynamodb.GetItem": 2, "dynamodb.UpdateItem": 1]) {
            log, _, topic in _ = try await log.fence(topic, token: try FencingToken("t"))
        },
    ]

    static let topicRows: [Row] = [
        Row(name: "trim", appends: 3, requests: ["dynamodb.GetItem": 1, "dynamodb.UpdateItem": 1]) { log, _, topic in
            if let offset = Offset(2) { _ = try await log.trim(topic, before: offset) }
        },
        Row(
            name: "delete a topic without groups", appends: 3,
            requests: ["dynamodb.GetItem": 1, "dynamodb.UpdateItem": 1, "dynamodb.Query": 1, "s3.ListObjectsV2": 1]
        ) { log, _, topic in try await log.delete(topic) },
        Row(name: "set what is kept", appends: 1, requests: ["dynamodb.GetItem": 1, "dynamodb.UpdateItem": 1]) {
            log, _, topic in
            var change = TopicSettingsChange()
            change.retentionBytes = .some(1000)
            try await log.change(topic, change)
        },
        Row(
            name: "branch", appends: 3,
            requests: ["dynamodb.GetItem": 2, "s3.ListObjectsV2": 1, "dynamodb.PutItem": 1]
        ) { log, _, topic in _ = try await log.createBranch(try TopicName("b"), of: topic, at: nil) },
        Row(
            name: "consume 3 objects below a fork", appends: 3,
            prepare: { log, _, topic in _ = try await log.createBranch(try TopicName("b"), of: topic, at: nil) },
            requests: ["dynamodb.GetItem": 2, "s3.ListObjectsV2": 1, "s3.GetObject": 3]
        ) { log, _, _ in try await read(log, try TopicName("b"), from: 1) },
    ]

    static let groupRows: [Row] = [
        Row(
            name: "receive one batch", appends: 1,
            prepare: { log, _, topic in
                _ = try await log.createGroup(try group(of: topic), at: .earliest)
            },
            requests: ["dynamodb.GetItem": 2, "dynamodb.PutItem": 1, "s3.GetObject": 1]
        ) { log, _, topic in _ = try await receive(log, topic) },
        Row(
            name: "receive, nothing new", appends: 1, prepare: received,
            requests: ["dynamodb.GetItem": 2, "dynamodb.PutItem": 1]
        ) { log, _, topic in _ = try await receive(log, topic) },
        Row(name: "ack", appends: 1, prepare: received, requests: ["dynamodb.UpdateItem": 1]) { log, _, topic in
            guard let end = Offset(2), let generation = Generation(1) else { return }
            _ = try await log.acknowledge(try group(of: topic), below: end, by: "c", in: generation)
        },
        Row(
            name: "release", appends: 1, prepare: received,
            requests: ["dynamodb.GetItem": 2, "dynamodb.PutItem": 1]
        ) { log, _, topic in
            guard let generation = Generation(1) else { return }
            _ = try await log.release(try group(of: topic), by: "c", in: generation)
        },
        Row(
            name: "seek", appends: 1, prepare: received, requests: ["dynamodb.GetItem": 2, "dynamodb.PutItem": 1]
        ) { log, _, topic in _ = try await log.seek(try group(of: topic), to: .earliest) },
        Row(
            name: "a group's state, one batch behind", appends: 1, prepare: received,
            requests: ["dynamodb.GetItem": 3, "s3.GetObject": 1]
        ) { log, _, topic in _ = try await log.groupStatus(try group(of: topic)) },
    ]
}
