import ArgumentParser
import StreamsClient
import StreamsModel

/// `streams retain`: sets what is kept of a topic.
struct RetainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retain", abstract: "Set how much of a topic is kept, within what the store keeps of all topics.",
        discussion: "A server looks after its data file itself. On AWS the bounds are applied by maintenance.")

    @Argument(help: "The topic; it is created where it does not exist.", transform: TopicName.init)
    var topic: TopicName

    @Option(help: "Trim messages older than this, such as 7d, 12h, 15m or 30s; 'forever' for no bound of its own.")
    var age: String?

    @Option(help: "Trim the oldest messages until at most so many bytes remain; 'forever' for no bound of its own.")
    var bytes: String?

    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard age != nil || bytes != nil else { throw ValidationError("Give --age, --bytes, or both.") }
        _ = try (age.map(Self.age), bytes.map(Self.bytes))
    }

    func run() async throws {
        let client = try options.client()
        let (age, bytes) = try (age.map(Self.age), bytes.map(Self.bytes))
        try await reportingErrors {
            let state = try await client.retain(topic, age: age, bytes: bytes)
            Terminal.output(Array("\(topic)\t\(state.kept ?? "keeps what the store keeps")\n".utf8))
        }
    }

    private static let maximum: Int64 = 1_000_000_000_000_000

    private static func age(_ text: String) throws -> StreamsClient.Bound {
        if text == "forever" { return .none }
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count > 0,
            count <= maximum / unit
        else { throw ValidationError("--age is a time such as 7d, 12h, 15m or 30s, or 'forever', not '\(text)'.") }
        return .atMost(count * unit)
    }

    private static func bytes(_ text: String) throws -> StreamsClient.Bound {
        if text == "forever" { return .none }
        guard let count = Int64(text), (1...maximum).contains(count) else {
            throw ValidationError("--bytes is a number from 1 to \(maximum), or 'forever', not '\(text)'.")
        }
        return .atMost(count)
    }
}

extension StreamsClient.Topic {
    /// What is kept of it, for people; `nil` where it has no bounds of its own.
    var kept: String? {
        var bounds: [String] = []
        if let retentionMilliseconds { bounds.append("\(Self.duration(retentionMilliseconds))") }
        if let retentionBytes { bounds.append("\(retentionBytes) bytes") }
        return bounds.isEmpty ? nil : "keeps " + bounds.joined(separator: " and ")
    }

    private static func duration(_ milliseconds: Int64) -> String {
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] as [(String, Int64)]
        where milliseconds % size == 0 { return "\(milliseconds / size)\(unit)" }
        return "\(milliseconds) ms"
    }
}
