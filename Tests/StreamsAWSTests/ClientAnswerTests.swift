import Foundation
import NIOCore
import NIOHTTP1
import StreamsCore
import StreamsTesting
import Testing

@testable import StreamsAWS

@Suite("Answers that the clients read")
struct ClientAnswerTests {
    @Test("objects that could not be deleted are named, and the keys are sent as they are")
    func deleteFailures() async throws {
        let body = """
            <DeleteResult xmlns="x"><Error><Key>a&amp;b</Key><Code>AccessDenied</Code><Message>No.</Message></Error>\
            </DeleteResult>
            """
        let clients = try ScriptedClients([Answers.ok(body)])
        let failures = try await clients.s3.deleteObjects(["a&b", "c"])
        #expect(failures == [S3DeleteFailure(key: "a&b", code: "AccessDenied", message: "No.")])
        let sent = try #require(clients.transport.requests.first?.body.map { String(buffer: $0) })
        #expect(sent.contains("<Key>a&amp;b</Key>") && sent.contains("<Key>c</Key>"))
        #expect(try await clients.s3.deleteObjects([]) == [])
        #expect(clients.transport.requests.count == 1)
    }

    @Test("an answer that is not what is documented is a failure of its own")
    func unexpected() async throws {
        let clients = try ScriptedClients([Answers.ok("<html>")])
        let list = await #expect(throws: AWSError.self) { try await clients.s3.listObjects(prefix: "") }
        #expect(list?.code == .unexpectedAnswer && list?.effect == StoreError.Effect.none)
        let deleted = await #expect(throws: AWSError.self) { try await clients.s3.deleteObjects(["a"]) }
        #expect(deleted?.code == .unexpectedAnswer && deleted?.effect == .unknown)
        let put = await #expect(throws: AWSError.self) { try await clients.dynamoDB.putItem(["pk": .string("a")]) }
        #expect(put?.code == .unexpectedAnswer && put?.effect == .unknown)
    }

    @Test(
        "a success that S3 does not write is none: nothing was stored, found or deleted",
        arguments: [[:], ["ETag": ""], ["ETag": "W/\"5-a\""]] as [HTTPHeaders])
    func pages(headers: HTTPHeaders) async throws {
        let clients = try ScriptedClients([Answers.ok("<html></html>", headers: headers)])
        let put = await #expect(throws: AWSError.self) { try await clients.put() }
        #expect(put?.code == .unexpectedAnswer && put?.effect == .unknown)
        #expect(put?.message.contains("AWS_ENDPOINT_URL") == true)
        let deleted = await #expect(throws: AWSError.self) { try await clients.s3.deleteObject("key") }
        #expect(deleted?.code == .unexpectedAnswer && deleted?.effect == .unknown)
        guard headers["ETag"].joined().isEmpty else { return }
        let get = await #expect(throws: AWSError.self) { try await clients.s3.getObject("key") }
        #expect(get?.code == .unexpectedAnswer && get?.effect == StoreError.Effect.none)
        let head = await #expect(throws: AWSError.self) { try await clients.s3.headObject("key") }
        #expect(head?.code == .unexpectedAnswer && head?.effect == StoreError.Effect.none)
    }

    @Test(
        "a success that DynamoDB does not write is none",
        arguments: [
            ("<html></html>", "text/html"), ("{}", "text/html"), (#"{"status":"ok"}"#, "application/json"), ("{}", ""),
            ("<html></html>", "application/x-amz-json-1.0"), ("", "application/x-amz-json-1.0"),
            ("[]", "application/x-amz-json-1.0"), ("null", "application/x-amz-json-1.0"),
        ])
    func otherDocuments(body: String, type: String) async throws {
        let clients = try ScriptedClients([Answers.ok(body, headers: ["Content-Type": type]), Answers.item()])
        let put = await #expect(throws: AWSError.self) { try await clients.dynamoDB.putItem(["pk": .string("a")]) }
        #expect(put?.code == .unexpectedAnswer && put?.effect == .unknown)
        #expect(put?.message.contains("AWS_ENDPOINT_URL") == true)
        #expect(try await clients.dynamoDB.putItem(["pk": .string("a")]) == .done(attributes: [:]))
    }

    @Test("a refusal that S3 does not write is no missing object and no failed condition, and is tried again")
    func refusedPages() async throws {
        for status in [301, 403, 404, 409, 412] {
            let page: ScriptedTransport.Answer = { _ in
                .success(AWSTransportAnswer(status: status, body: Array("<html><h1>No</h1></html>".utf8)))
            }
            let clients = try ScriptedClients([page])
            let get = await #expect(throws: AWSError.self) { try await clients.s3.getObject("key") }
            #expect(get?.code == .unavailable && get?.effect == StoreError.Effect.none)
            #expect(get?.message.contains("HTTP\(status)") == true)
            #expect(get?.message.contains("AWS_ENDPOINT_URL") == true)
            #expect(clients.transport.requests.count > 1)
            let put = await #expect(throws: AWSError.self) { try await clients.put() }
            #expect(put?.code == .unavailable && put?.effect == .unknown)
            let update = await #expect(throws: AWSError.self) { try await clients.dynamoDB.deleteItem([:]) }
            #expect(update?.code == .unavailable && update?.effect == .unknown)
            let other = try ScriptedClients([page, Answers.object("body")])
            #expect(try await other.s3.getObject("key")?.body == Array("body".utf8))
        }
    }

    @Test("HEAD has only its status to tell that an object is missing")
    func head() async throws {
        let clients = try ScriptedClients([{ _ in .success(AWSTransportAnswer(status: 404)) }])
        #expect(try await clients.s3.headObject("key") == nil)
    }

    @Test("a conditional delete of what is not there is done, of something else is not")
    func conditionalDelete() async throws {
        let clients = try ScriptedClients([Answers.s3(404, "NoSuchKey"), Answers.s3(412, "PreconditionFailed")])
        #expect(try await clients.s3.deleteObject("key", ifMatch: "\"e\""))
        #expect(try await !clients.s3.deleteObject("key", ifMatch: "\"e\""))
        #expect(clients.transport.requests.allSatisfy { $0.header("if-match") == "\"e\"" })
    }

    @Test("an expected version that is gone is a failed condition")
    func goneVersion() async throws {
        let clients = try ScriptedClients([Answers.s3(404, "NoSuchKey")])
        let outcome = try await clients.s3.putObject(
            "key", body: [], contentType: "text/plain", condition: .ifMatch("\"e\""))
        #expect(outcome == .conditionFailed)
    }

    @Test("a failed condition comes with the item as it is")
    func failedCondition() async throws {
        let body = #"{"__type":"x#ConditionalCheckFailedException","Item":{"pk":{"S":"a"},"n":{"N":"7"}}}"#
        let clients = try ScriptedClients([{ _ in .success(AWSTransportAnswer(status: 400, body: Array(body.utf8))) }])
        let update = DynamoDBUpdate(key: ["pk": .string("a")], update: "SET n = :n", condition: "n = :m")
        let outcome = try await clients.dynamoDB.updateItem(update)
        #expect(outcome == .conditionFailed(item: ["pk": .string("a"), "n": .integer(7)]))
        let sent = try #require(clients.transport.requests.first?.body.map { String(buffer: $0) })
        #expect(sent.contains(#""ReturnValuesOnConditionCheckFailure":"ALL_OLD""#))
        #expect(!sent.contains("ExpressionAttributeNames"))
    }

    @Test("a store that is full, or cannot do what S3 can, is not asked again")
    func otherStores() async throws {
        for (status, code, expected) in [
            (507, "XMinioStorageFull", AWSError.Code.outOfSpace), (501, "NotImplemented", .other("NotImplemented")),
        ] {
            let clients = try ScriptedClients([Answers.s3(status, code)])
            let error = await #expect(throws: AWSError.self) { try await clients.put() }
            #expect(error?.code == expected && error?.effect == StoreError.Effect.none)
            #expect(clients.transport.requests.count == 1)
        }
    }
}

@Suite("Values of DynamoDB")
struct AttributeValueTests {
    @Test("random values come back as they were written")
    func roundTrip() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var dice = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let value = random(&dice, depth: 3)
            var writer = DynamoDBWriter()
            writer.member("item", ["v": value])
            let bytes = writer.finish()
            #expect(try JSONSerialization.jsonObject(with: Data(bytes)) is [String: Any])
            #expect(try item(String(decoding: bytes.dropFirst(8).dropLast(), as: UTF8.self)) == ["v": value])
        }
    }

    @Test("numbers keep every digit")
    func numbers() throws {
        let item = try item(#"{"a":{"N":"9007199254740993"},"b":{"N":"1.5"},"c":{"N":"9223372036854775808"}}"#)
        #expect(item["a"]?.integer == 9_007_199_254_740_993)
        #expect(item["b"] == .number("1.5") && item["b"]?.integer == nil && item["c"]?.integer == nil)
    }

    @Test("white space and escapes mean what they mean in JSON")
    func spelling() throws {
        let item = try item(
            "\n{ \"a\" : {\"\\u0053\": \"\\ud83d\\ude00\\n\\/é\"} , \"b\":{\"L\":[ ]},\"c\":{\"M\":{ }} }\t")
        #expect(item == ["a": .string("😀\n/é"), "b": .list([]), "c": .map([:])])
    }

    @Test(
        "what is no value is refused",
        arguments: [
            #"{"v":{}}"#, #"{"v":{"S":"a","N":"1"}}"#, #"{"v":{"N":1}}"#, #"{"v":"a"}"#, #"{"v":{"B":"%"}}"#,
            #"{"v":{"BOOL":"true"}}"#, #"{"v":{"X":"a"}}"#, #"{"v":{"L":{}}}"#, #"{"v":{"S":"a"}}}"#,
            #"{"v":{"S":"a"},}"#,
            #"{"v":{"S":"a"}"#, "", "null", "[]", #"{"v":{"S":"\ud8"}}"#,
            #"{"v":"# + String(repeating: #"{"L":["#, count: 20_000),
        ])
    func refused(_ text: String) {
        #expect(throws: DynamoDBReader.Failure.self) { try item(text) }
    }

    private func item(_ text: String) throws -> DynamoDBItem {
        var reader = DynamoDBReader(Array(text.utf8))
        let item = try reader.item()
        try reader.finish()
        return item
    }

    private func random(_ dice: inout SplitMix64, depth: Int) -> AttributeValue {
        switch dice.next(below: depth > 0 ? 9 : 7) {
        case 0: .string(text(&dice))
        case 1: .integer(Int64(bitPattern: dice.next()))
        case 2: .binary((0..<dice.next(below: 9)).map { _ in UInt8(truncatingIfNeeded: dice.next()) })
        case 3: .bool(dice.happens(percent: 50))
        case 4: .null
        case 5: .stringSet([text(&dice), "x"])
        case 6: .numberSet(["1", "\(dice.next())"])
        case 7: .list((0..<dice.next(below: 3)).map { _ in random(&dice, depth: depth - 1) })
        default:
            .map(
                (0..<dice.next(below: 3)).reduce(into: [:]) { map, _ in
                    map[text(&dice)] = random(&dice, depth: depth - 1)
                })
        }
    }

    private func text(_ dice: inout SplitMix64) -> String {
        let alphabet = Array("ab \"\\/\n\u{0}é日🎈")
        return String((0..<dice.next(below: 6)).map { _ in alphabet[dice.next(below: alphabet.count)] })
    }
}
