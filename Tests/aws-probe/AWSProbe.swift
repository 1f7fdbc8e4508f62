import AWSSigning
import FoundationEssentials
import Logging
import StreamsAWS
import StreamsCore
import StreamsModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Signs requests and calls AWS for tests from outside: a JSON document a line in, one a line out.
///
/// Region, endpoints and credentials come from the environment, as in the server.
@main
struct AWSProbe {
    static func main() async throws {
        let quiet = Logger(label: "aws-probe") { _ in SwiftLogNoOpLogHandler() }
        let clock = AWSClock(SystemTime(), logger: quiet)
        let environment = environmentVariables()
        let connection: AWSConnection
        do {
            connection = AWSConnection(try AWSConfiguration(environment: environment), clock: clock, logger: quiet)
        } catch {
            return write(ProbeAnswer(error: error))
        }
        let calls = ProbeCalls(
            s3: S3Client(connection, bucket: environment["BUCKET_NAME"] ?? "bucket"),
            dynamoDB: DynamoDBClient(connection, table: environment["COUNTERS_TABLE"] ?? "table"))
        while let line = readLine() {
            let request = try JSONDecoder().decode(ProbeRequest.self, from: Data(line.utf8))
            if request.call == "sign" {
                write(try Signing(request).answer())
            } else {
                write(await calls.answer(request))
            }
        }
    }

    private static func write(_ answer: ProbeAnswer) {
        guard let bytes = try? JSONEncoder().encode(answer) else { return }
        print(String(decoding: bytes, as: UTF8.self))
        fflush(nil)
    }

    private static func environmentVariables() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let pair = String(cString: entry).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            next += 1
        }
        return variables
    }
}
