import Logging
import NIOHTTP1
import StreamsCore
import StreamsModel
import Synchronization
import Testing

@testable import StreamsAWS

@Suite("The list of a topic's segments")
struct SegmentListTests {
    private let topic: TopicName

    init() throws { topic = try TopicName("t") }

    @Test("goes on after pages that S3 cut short, or left empty", arguments: [0, 1, 2])
    func shortPages(keysPerPage: Int) async throws {
        let bucket = ListedBucket(segments(1...5), keysPerPage: keysPerPage)
        #expect(try await list(bucket, limit: 1000) == [1, 2, 3, 4, 5])
        #expect(try await list(bucket, from: 3, limit: 2) == [3, 4])
    }

    @Test("costs one request where others keep many objects below the topic's prefix")
    func objectsOfOthers() async throws {
        let bucket = ListedBucket(segments(1...2) + (0..<300).map { "topics/t/athena/\($0).csv" })
        #expect(try await list(bucket, from: 3, limit: 1).isEmpty)
        #expect(bucket.limits == [1])
        #expect(try await list(bucket, from: 2, limit: 1000) == [2])
        #expect(bucket.limits == [1, 1000])
    }

    @Test("asks for whole pages as soon as it meets keys of others between its own")
    func keysOfOthersBetween() async throws {
        let bucket = ListedBucket(segments([1, 400]) + (0..<300).map { "topics/t/00000000000000000001.json.\($0)" })
        #expect(try await list(bucket, from: 2, limit: 1) == [400])
        #expect(bucket.limits == [1, 1000])
        #expect(try await list(bucket, limit: 1) == [1])
    }

    @Test("that announces more without saying where, or comes again, is an error and no end")
    func brokenPages() async throws {
        for token in ["", "<NextContinuationToken>same</NextContinuationToken>"] {
            let page = "<ListBucketResult><IsTruncated>true</IsTruncated>\(token)</ListBucketResult>"
            let clients = try ScriptedClients([Answers.ok(page)])
            let error = await #expect(throws: StoreError.self) {
                try await store(clients).list(topic, from: .first, limit: 9)
            }
            #expect(error?.code == .corrupt && error?.effect == StoreError.Effect.none)
            #expect(clients.transport.requests.count == (token.isEmpty ? 1 : 2))
        }
    }

    private func segments(_ numbers: some Sequence<Int64>) -> [String] {
        numbers.map { SegmentKey.objectKey(topic, number: $0) }
    }

    private func list(_ bucket: ListedBucket, from: Int64 = 1, limit: Int) async throws -> [Int64] {
        let clients = try ScriptedClients([{ bucket.answer($0) }])
        let listings = try await store(clients).list(topic, from: try #require(Offset(from)), limit: limit)
        return listings.map(\.key.last.rawValue)
    }

    private func store(_ clients: ScriptedClients) -> AWSStore {
        AWSStore(
            AWSStore.Configuration(bucket: "bucket", table: "table"), connection: clients.connection,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// Answers `ListObjectsV2` for some keys, with fewer keys a page than it is asked for where it is told so.
///
/// With none a page, it leaves every other page empty.
private final class ListedBucket: Sendable {
    private let keys: [String]
    private let keysPerPage: Int
    private let asked = Mutex<[Int]>([])

    init(_ keys: [String], keysPerPage: Int = 1000) {
        self.keys = keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        self.keysPerPage = keysPerPage
    }

    /// What the requests so far gave as `max-keys`.
    var limits: [Int] { asked.withLock { $0 } }

    func answer(_ request: AWSTransportRequest) -> Result<AWSTransportAnswer, AWSTransportFailure> {
        var query: [String: String] = [:]
        for pair in request.url.split(separator: "?").last?.split(separator: "&") ?? [] {
            let halves = pair.split(separator: "=", maxSplits: 1)
            query[String(halves[0])] = halves.count == 2 ? S3ObjectList.decoded(String(halves[1])) : ""
        }
        let maxKeys = query["max-keys"].flatMap { Int($0) } ?? 0
        asked.withLock { $0.append(maxKeys) }
        // A token is the place of the next key, and how many pages came before.
        let token = query["continuation-token"]?.split(separator: "+").compactMap { Int($0) } ?? []
        let startAfter = query["start-after"] ?? ""
        let start =
            token.first ?? keys.firstIndex { startAfter.utf8.lexicographicallyPrecedes($0.utf8) } ?? keys.count
        let number = token.count == 2 ? token[1] : 0
        let count = keysPerPage == 0 ? number % 2 : keysPerPage
        let end = min(start + min(maxKeys, count), keys.count)
        let contents = keys[start..<end].map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
        let next =
            end < keys.count ? "<NextContinuationToken>\(end)+\(number + 1)</NextContinuationToken>" : ""
        let body = """
            <ListBucketResult><IsTruncated>\(end < keys.count)</IsTruncated>\(next)\(contents)</ListBucketResult>
            """
        return .success(AWSTransportAnswer(status: 200, body: Array(body.utf8)))
    }
}
