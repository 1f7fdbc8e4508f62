import Foundation
import LambdaRuntime
import Logging
import StreamsLambda
import Synchronization
import Testing

@Suite("The function's log")
struct JSONLineLogHandlerTests {
    @Test("an entry is one line of JSON with time, level, message, metadata and the invocation")
    func entries() throws {
        let lines = Mutex<[[UInt8]]>([])
        var handler = JSONLineLogHandler(level: .info) { line in lines.withLock { $0.append(line) } }
        handler[metadataKey: "component"] = "log"
        let logger = Logger(label: "test") { _ in handler }
        logger.debug("not this")
        logger.info("first\nline", metadata: ["key": "a \"quoted\" one"])
        Invocation.$currentID.withValue("request-1") { logger.error("second") }
        let entries = try lines.withLock { $0 }.map { line in
            #expect(line.last == UInt8(ascii: "\n") && line.count(where: { $0 == UInt8(ascii: "\n") }) == 1)
            return try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: String])
        }
        try #require(entries.count == 2)
        #expect(entries[0]["level"] == "INFO" && entries[0]["message"] == "first\nline")
        #expect(entries[0]["key"] == "a \"quoted\" one" && entries[0]["component"] == "log")
        #expect(entries[0]["requestId"] == nil && entries[1]["requestId"] == "request-1")
        #expect(try entries[0]["timestamp"]?.wholeMatch(of: Regex(#"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ"#)) != nil)
    }
}
