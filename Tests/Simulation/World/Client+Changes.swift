import StreamsCore
import StreamsModel

/// What a client changes of topics.
extension Client {
    /// Trims the topic.
    func trim(before offset: Int64, by process: SimulatedProcess) async {
        guard let before = Offset(offset) else { return }
        let topic = topic
        await change("trims \(topic) below \(offset)", by: process, isDelete: false, before: offset) {
            log throws(StreamsError) in
            _ = try await log.trim(topic, before: before)
        }
    }

    /// Deletes the topic.
    func delete(by process: SimulatedProcess) async {
        let topic = topic
        await change("deletes \(topic)", by: process, isDelete: true, before: .max) { log throws(StreamsError) in
            try await log.delete(topic)
        }
    }

    /// Lets messages of the topic go when they are so old.
    func keep(milliseconds: Int64, by process: SimulatedProcess) async {
        let topic = topic
        var settings = TopicSettingsChange()
        settings.retentionMilliseconds = .some(milliseconds)
        let final = settings
        let begin = world.scheduler.now
        world.recorder.tell { "\(self.name) lets messages of \(topic) go after \(milliseconds) ms by \(process.name)" }
        let result = await perform(by: process) { log throws(StreamsError) in try await log.change(topic, final) }
        if case .failure(let error) = result, process.isAlive {
            expect(error, [.topicNotFound, .unavailable, .outcomeUnknown])
            guard error.code == .outcomeUnknown else { return }
        }
        let cut = History.Cut(begin: begin, end: .max, before: .max, isDelete: false, age: milliseconds * 1000)
        world.recorder.change(topic) { $0.cuts.append(cut) }
    }

    /// Creates a branch of the topic; returns whether it is known to stand.
    func branch(to name: TopicName, at offset: Int64?, by process: SimulatedProcess) async -> Bool {
        let topic = topic
        world.recorder.tell { "\(self.name) branches \(topic) to \(name) at \(offset.map { "\($0)" } ?? "its end")" }
        let result = await perform(by: process) { log throws(StreamsError) in
            try await log.createBranch(name, of: topic, at: offset.flatMap { Offset($0) })
        }
        guard process.isAlive else { return false }
        switch result {
        case .success(let info):
            let fork = info.branch?.fork.rawValue ?? 1
            world.recorder.tell { "\(self.name): \(name) stands, at \(fork)" }
            world.recorder.beginBranch(name, History.BranchPoint(parent: topic.rawValue, fork: fork))
            return true
        case .failure(let error):
            expect(error, [.topicNotFound, .offsetTrimmed, .unavailable, .outcomeUnknown])
            return false
        }
    }

    /// Expects the topic to be there: a message was just appended to it.
    ///
    /// Unless a delete of which nobody knows what became of it has come later still.
    func expectTopic(by process: SimulatedProcess) async {
        let topic = topic
        guard !world.recorder.history.cuts.contains(where: { $0.isDelete && $0.end == .max }) else { return }
        let result = await perform(by: process) { log throws(StreamsError) in try await log.info(of: topic) }
        if case .failure(let error) = result, process.isAlive { expect(error, [.unavailable]) }
    }

    private func change(
        _ text: String, by process: SimulatedProcess, isDelete: Bool, before: Int64,
        _ body: @escaping @Sendable (Log) async throws(StreamsError) -> Void
    ) async {
        let begin = world.scheduler.now
        world.recorder.tell { "\(name) \(text) by \(process.name)" }
        let result = await perform(by: process, body)
        var end = world.scheduler.now
        if case .failure(let error) = result, process.isAlive {
            world.recorder.tell { "\(name): \(error)" }
            expect(error, [.topicNotFound, .unavailable, .outcomeUnknown])
            guard error.code == .outcomeUnknown else { return }
            end = .max
        }
        if !process.isAlive { end = .max }
        let cut = History.Cut(begin: begin, end: end, before: before, isDelete: isDelete)
        world.recorder.tell { "\(name): \(end == .max ? "perhaps" : "done")" }
        world.recorder.change(topic) { $0.cuts.append(cut) }
    }

    private func perform<Value: Sendable>(
        by process: SimulatedProcess, _ body: @escaping @Sendable (Log) async throws(StreamsError) -> Value
    ) async -> Result<Value, StreamsError> {
        await withTaskExecutorPreference(process.executor) {
            do throws(StreamsError) { return .success(try await body(process.log)) } catch { return .failure(error) }
        }
    }

    private func expect(_ error: StreamsError, _ codes: [ErrorCode]) {
        world.recorder.tell { "\(name): \(error)" }
        guard !codes.contains(error.code) else { return }
        world.recorder.surprise("\(name) met an error that it should not meet: \(error)")
    }
}
