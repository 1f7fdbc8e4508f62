import StreamsCore
import StreamsModel

extension Client {
    /// Sets a token; returns the end that was told, or `nil` where nobody knows whether it is set.
    func fence(_ token: String, by process: SimulatedProcess) async -> Int64? {
        let begin = world.scheduler.now
        let topic = world.topic
        let result: Result<TopicInfo, StreamsError> = await withTaskExecutorPreference(process.executor) {
            do throws(StreamsError) {
                return .success(try await process.log.fence(topic, token: try FencingToken(token)))
            } catch {
                return .failure(error)
            }
        }
        var end: Int64?
        switch result {
        case _ where !process.isAlive: break
        case .success(let info): end = info.end.rawValue
        case .failure(let error):
            guard ![.topicNotFound, .unavailable, .outcomeUnknown].contains(error.code) else { break }
            world.recorder.surprise("\(name) met an error that no fence should meet: \(error)")
        }
        world.recorder.noteFence(name, token, begin: begin, topicEnd: end)
        return end
    }
}

extension History.Wish {
    /// The wish as the log takes it.
    func conditions(for messages: [Int]) throws(StreamsError) -> AppendConditions {
        var conditions = AppendConditions()
        if let key {
            var bytes = [UInt8](repeating: 0, count: 32)
            for (index, number) in messages.enumerated() {
                bytes[index % 32] ^= UInt8(truncatingIfNeeded: number &* 31)
            }
            let key = try IdempotencyKey(key)
            conditions.idempotency = RequestDigest(bytes).map { .init(key: key, digest: $0) }
        }
        conditions.expectedOffset = expected.flatMap { Offset($0) }
        if let token { conditions.fencingToken = try FencingToken(token) }
        return conditions
    }

    /// Whether an append with this wish may be refused so, which then certainly is not there.
    func allows(_ error: StreamsError) -> Bool {
        switch error.code {
        case .offsetMismatch: expected != nil && error.context.endOffset?.rawValue != expected
        // Who sends none may meet a topic that somebody has fenced.
        case .fenced: true
        default: false
        }
    }

    /// The wish in words, for a trace.
    var words: String {
        (key.map { " with the key \($0)" } ?? "") + (expected.map { " for offset \($0)" } ?? "")
            + (token.map { " with the token \($0)" } ?? "")
    }
}
