import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// `GET /health`: asks the store something small, so that `ok` means that it answers.
    func health() async -> APIResponse {
        var writer = JSONObjectWriter()
        do throws(StreamsError) {
            try await log.checkStore()
            writer.member("status", "ok")
        } catch {
            return .problem(error)
        }
        writer.member("version", configuration.version)
        writer.member("store", configuration.storeName)
        return .json(writer.finish())
    }

    /// `GET /`: what to do next, for whoever opens the address first.
    func greeting() -> APIResponse {
        let text = """
            Serverless Streams \(configuration.version)

            POST /topics/{topic}/produce    {"payload": …}, {"messages": [{"payload": …}, …]}, or NDJSON
            GET  /topics/{topic}/consume    ?offset=1&limit=10&wait=20, or Accept: text/event-stream
            GET  /topics                    the topics
            POST /topics/{topic}/groups/{group}/receive, then …/ack: consume as a group
            GET  /health, /metrics

            """
        return APIResponse(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
    }
}
