import NIOHTTP1
import StreamsCore
import StreamsTesting
import Testing

@testable import StreamsAWS

@Suite("Errors of AWS")
struct ErrorTests {
    @Test("S3's XML gives code, message, region and request id")
    func s3() {
        let body = """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>PermanentRedirect</Code><Message>Use &lt;that&gt;.</Message><Region>eu-west-1</Region>\
            <RequestId>R1</RequestId><HostId>h</HostId></Error>
            """
        let refusal = AWSRefusal.s3(AWSTransportAnswer(status: 301, body: Array(body.utf8)), isHead: false)
        #expect(refusal.code == "PermanentRedirect")
        #expect(refusal.message == "Use <that>.")
        #expect(refusal.region == "eu-west-1")
        #expect(refusal.requestID == "R1")
    }

    @Test("an answer to HEAD has the code of its status, and any other without a body has none")
    func withoutBody() {
        for (status, code) in [
            (404, "NoSuchKey"), (412, "PreconditionFailed"), (403, "AccessDenied"), (502, "HTTP502"),
        ] {
            let answer = AWSTransportAnswer(status: status)
            #expect(AWSRefusal.s3(answer, isHead: true).code == code)
            for refusal in [AWSRefusal.s3(answer, isHead: false), AWSRefusal.dynamoDB(answer)] {
                #expect(refusal.code == "HTTP\(status)" && !refusal.isReadable)
            }
        }
    }

    @Test(
        "DynamoDB's code is what follows the #, and its message has two spellings",
        arguments: [
            #"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"m"}"#,
            #"{"__type":"ConditionalCheckFailedException","Message":"m"}"#,
        ])
    func dynamoDB(body: String) {
        let refusal = AWSRefusal.dynamoDB(AWSTransportAnswer(status: 400, body: Array(body.utf8)))
        #expect(refusal.code == "ConditionalCheckFailedException")
        #expect(refusal.message == "m")
    }

    @Test("random bytes are a refusal like any other")
    func randomBytes() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var dice = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let bytes = (0..<dice.next(below: 60)).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            let answer = AWSTransportAnswer(status: 418, body: bytes)
            #expect(AWSRefusal.s3(answer, isHead: false).code == "HTTP418")
            #expect(AWSRefusal.dynamoDB(answer).code == "HTTP418")
        }
    }

    @Test(
        "each message names what to change",
        arguments: [
            (403, "AccessDenied", ["'bucket'", "s3:PutObject", "AKID"]),
            (404, "NoSuchBucket", ["'bucket'", "BUCKET_NAME"]),
            (301, "PermanentRedirect", ["AWS_REGION=us-west-2"]),
            (403, "InvalidAccessKeyId", ["AWS_ACCESS_KEY_ID", "AKID"]),
            (403, "SignatureDoesNotMatch", ["AWS_SECRET_ACCESS_KEY"]), (400, "ExpiredToken", ["expired", "AKID"]),
            (403, "RequestTimeTooSkewed", ["clock"]),
        ])
    func messages(status: Int, code: String, words: [String]) async throws {
        let clients = try ScriptedClients([
            Answers.s3(status, code, headers: ["x-amz-bucket-region": "us-west-2", "x-amz-request-id": "REQ"])
        ])
        let error = await #expect(throws: AWSError.self) { try await clients.put() }
        let text = error?.description ?? ""
        for word in words + [code, "REQ"] { #expect(text.contains(word), "\(text)") }
        #expect(!text.contains("secret:"))
    }

    @Test("a missing permission is named as policies name it")
    func permissions() async throws {
        let clients = try ScriptedClients([Answers.s3(403, "AccessDenied")])
        let list = await #expect(throws: AWSError.self) { try await clients.s3.listObjects(prefix: "") }
        #expect(list?.message.contains("s3:ListBucket on the bucket 'bucket'") == true)
        for error in [
            await #expect(throws: AWSError.self) { try await clients.s3.getObject("key") },
            await #expect(throws: AWSError.self) { try await clients.s3.headObject("key") },
        ] {
            #expect(error?.message.contains("s3:GetObject on the bucket 'bucket'") == true)
            #expect(error?.message.contains("s3:ListBucket on the bucket") == true)
        }
        let put = await #expect(throws: AWSError.self) { try await clients.put() }
        #expect(put?.message.contains("ListBucket") == false)
        let other = try ScriptedClients([Answers.dynamoDB(400, "AccessDeniedException")])
        let get = await #expect(throws: AWSError.self) { try await other.dynamoDB.getItem([:]) }
        #expect(get?.message.contains("dynamodb:GetItem on the table 'table'") == true)
    }

    @Test("a table without the index of topics is named with what it lacks")
    func missingIndex() async throws {
        let said = "The table does not have the specified index: kind-index"
        let clients = try ScriptedClients([Answers.dynamoDB(400, "ValidationException", message: said)])
        let query = DynamoDBQuery(index: "kind-index", keyCondition: "#kind = :kind")
        let error = await #expect(throws: AWSError.self) { try await clients.dynamoDB.query(query) }
        #expect(error?.code == .noSuchIndex && error?.storeError.code == .misconfigured)
        for words in [
            "'kind-index'", "'table'", "partition key 'kind'", "sort key 'pk'", "keys only", "listing topics",
        ] {
            #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        }
        let other = try ScriptedClients([Answers.dynamoDB(400, "ValidationException", message: "Something else.")])
        let refused = await #expect(throws: AWSError.self) { try await other.dynamoDB.query(query) }
        #expect(refused?.code == .other("ValidationException"))
    }

    @Test("the storage ports are told what went wrong, and that the tries have been made")
    func storeErrors() {
        let codes: [(AWSError.Code, StoreError.Code)] = [
            (.throttled, .unavailable), (.unavailable, .unavailable), (.signedTooLongAgo, .signedTooLongAgo),
            (.accessDenied, .misconfigured), (.noSuchBucket, .misconfigured), (.noCredentials, .misconfigured),
            (.other("X"), .misconfigured), (.unexpectedAnswer, .corrupt),
        ]
        for (code, expected) in codes {
            let error = AWSError(code, effect: .unknown, "A message.", requestID: "R1").storeError
            #expect(error.code == expected)
            #expect(error.effect == .unknown)
            #expect(!error.isWorthRetrying)
            #expect(error.message == "A message. (AWS request id R1)")
        }
    }
}
