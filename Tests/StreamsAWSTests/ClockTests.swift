import Logging
import NIOHTTP1
@testable import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("The clock that AWS corrects")
struct ClockTests {
    // ManualTime begins at 2023-11-14T22:13:20Z.
    private let anHourLater = "Tue, 14 Nov 2023 23:13:20 GMT"

    @Test("a request with a wrong time is signed anew with AWS's time, once")
    func corrected() async throws {
        let headers: HTTPHeaders = ["Date": anHourLater, "x-amz-request-id": "R1"]
        let skewed = Answers.s3(403, "RequestTimeTooSkewed", headers: headers)
        let clients = try ScriptedClients([skewed, Answers.object(headers: headers)])
        _ = try await clients.put()
        #expect(clients.transport.requests.map { $0.header("x-amz-date") } == ["20231114T221320Z", "20231114T231320Z"])
        #expect(clients.connection.clock.now().milliseconds - clients.time.now().milliseconds == 3_600_000)
        #expect(clients.time.pauses.isEmpty)
    }

    @Test("DynamoDB's way of saying so is understood too")
    func dynamoDB() async throws {
        let skewed = Answers.dynamoDB(
            400, "InvalidSignatureException", message: "Signature expired: 20231114T221320Z is now earlier than ...",
            headers: ["date": anHourLater, "x-amzn-requestid": "R1"])
        let clients = try ScriptedClients([skewed, Answers.item()])
        _ = try await clients.dynamoDB.getItem(["pk": .string("a")])
        #expect(clients.transport.requests.last?.header("x-amz-date") == "20231114T231320Z")
    }

    @Test("the time of an answer that is not AWS's own does not count", arguments: [200, 403, 502])
    func otherDate(status: Int) async throws {
        let page: ScriptedTransport.Answer = { [anHourLater] _ in
            .success(
                AWSTransportAnswer(status: status, headers: ["Date": anHourLater], body: Array("<html/>".utf8)))
        }
        let clients = try ScriptedClients([page, Answers.object()])
        _ = try? await clients.put()
        #expect(clients.connection.clock.now() == clients.time.now())
    }

    @Test("when the answers do not help, the clock is named")
    func withoutDate() async throws {
        let clients = try ScriptedClients([Answers.s3(403, "RequestTimeTooSkewed")])
        let error = await #expect(throws: AWSError.self) { try await clients.put() }
        #expect(error?.code == .clockSkew)
        #expect(error?.message.contains("clock") == true)
        #expect(clients.transport.requests.count == 1)
    }

    @Test("a write with a time of its own keeps that time, and is refused for good when it is too old")
    func givenTime() async throws {
        let signedAt = Timestamp(milliseconds: 1_699_999_000_000)
        let skewed = Answers.s3(
            403, "RequestTimeTooSkewed", headers: ["Date": anHourLater, "x-amz-request-id": "R1"])
        let clients = try ScriptedClients([Answers.s3(503, "SlowDown"), skewed])
        let error = await #expect(throws: AWSError.self) { try await clients.put(signedAt: signedAt) }
        #expect(error?.code == .signedTooLongAgo)
        #expect(error?.effect == StoreError.Effect.none)
        #expect(clients.transport.requests.map { $0.header("x-amz-date") } == ["20231114T215640Z", "20231114T215640Z"])
    }

    @Test("a try that may have landed before the time ran out leaves the effect unknown")
    func givenTimeAfterLoss() async throws {
        let clients = try ScriptedClients([
            Answers.failure(.timedOut, isSent: true), Answers.s3(403, "RequestTimeTooSkewed"),
        ])
        let error = await #expect(throws: AWSError.self) {
            try await clients.put(signedAt: Timestamp(milliseconds: 1_699_999_000_000))
        }
        #expect(error?.code == .signedTooLongAgo)
        #expect(error?.effect == .unknown)
    }

    @Test("small differences are left alone, as are answers that were read long after they were written")
    func tolerance() {
        let manual = ManualTime()
        let clock = AWSClock(manual, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let start = manual.now()
        clock.observe(start.advanced(by: .seconds(29)), sentAt: start, receivedAt: start)
        clock.observe(start.advanced(by: .seconds(-29)), sentAt: start, receivedAt: start)
        // Frozen for an hour between sending and reading.
        manual.advance(by: .seconds(3600))
        let thawed = manual.now()
        clock.observe(start, sentAt: start, receivedAt: thawed)
        #expect(clock.now() == thawed)
        clock.observe(thawed.advanced(by: .seconds(31)), sentAt: thawed, receivedAt: thawed)
        #expect(clock.now() == thawed.advanced(by: .seconds(31)))
    }

    @Test("many answers to requests that were sent with the wrong time correct the clock once")
    func concurrent() {
        let manual = ManualTime()
        let clock = AWSClock(manual, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let start = manual.now()
        let right = start.advanced(by: .seconds(-7200))
        for _ in 0..<5 { clock.observe(right, sentAt: start, receivedAt: start) }
        #expect(clock.now() == right)
        // The machine's clock is set right: the correction goes.
        manual.shiftWallClock(by: .seconds(-7200))
        let now = clock.now()
        clock.observe(right, sentAt: now, receivedAt: now)
        #expect(clock.now() == right)
    }

    @Test("dates of HTTP and of the credentials endpoints are read, and nothing else")
    func dates() {
        #expect(TimeText.http("Sun, 06 Nov 1994 08:49:37 GMT") == Timestamp(milliseconds: 784_111_777_000))
        #expect(TimeText.iso8601("1994-11-06T08:49:37Z") == Timestamp(milliseconds: 784_111_777_000))
        #expect(TimeText.iso8601("1994-11-06T08:49:37.123Z") == Timestamp(milliseconds: 784_111_777_000))
        for text in ["", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Now 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT"]
        {
            #expect(TimeText.http(text) == nil)
        }
        for text in ["", "Z", "T", "1994-11-06", "1994-11-06T08:49Z", "1994-13-06T08:49:37Z", "--T::Z"] {
            #expect(TimeText.iso8601(text) == nil)
        }
    }
}
