import HTTPTypes
import NIOHTTP1
import StreamsHTTP
import Testing

@testable import StreamsServer

@Suite("The mailbox of a connection")
struct RequestMailboxTests {
    @Test("hands out in order, and what came before its end")
    func handsOutInOrder() async {
        let mailbox = RequestMailbox()
        mailbox.put(request("/1"))
        mailbox.put(request("/2"))
        #expect(await mailbox.next()?.request.target == "/1")
        mailbox.put(request("/3"))
        mailbox.finish()
        mailbox.finish()
        #expect(await mailbox.next()?.request.target == "/2")
        #expect(await mailbox.next()?.request.target == "/3")
        #expect(await mailbox.next()?.request.target == nil)
        #expect(await mailbox.next()?.request.target == nil)
    }

    @Test("wakes a reader that waits", arguments: [true, false])
    func wakesReaders(withRequest: Bool) async {
        let mailbox = RequestMailbox()
        async let received = mailbox.next()
        await Task.yield()
        if withRequest { mailbox.put(request("/1")) } else { mailbox.finish() }
        #expect(await received?.request.target == (withRequest ? "/1" : nil))
    }

    @Test("hands out to a reader that was cancelled")
    func ignoresCancellation() async {
        let mailbox = RequestMailbox()
        let reader = Task { await mailbox.next() }
        reader.cancel()
        mailbox.put(request("/1"))
        #expect(await reader.value?.request.target == "/1")
    }

    private func request(_ target: String) -> ReceivedRequest {
        ReceivedRequest(request: APIRequest(method: .get, target: target), version: .http1_1, isKeepAlive: true)
    }
}
