import StreamsCore
import StreamsModel

/// A consumer of the world's group, which writes down what it was told.
struct Consumer: Sendable {
    /// What came of a receive.
    enum Outcome {
        /// Messages, perhaps none.
        case received(Received)
        /// Nothing happened, for sure.
        case refused
        /// Messages may have been handed out to nobody.
        case unknown
    }

    /// Its name, which no other consumer has.
    var name: String
    /// The generation that it knows of, where it is one of those that say so.
    var generation: Generation?
    let world: World

    func receive(limit: Int, wait: Duration, leaseSeconds: Int, by process: SimulatedProcess) async -> Outcome {
        let begin = world.scheduler.now
        let request = ReceiveRequest(
            group: world.groupKey, consumer: name, generation: generation, limit: limit, bytesMaximum: 1_000_000,
            wait: wait, lease: .seconds(leaseSeconds))
        let result = await call(process) { (log) throws(StreamsError) in try await log.receive(request) }
        switch result {
        case .success(let received):
            note(
                .received(from: received.from.rawValue, next: received.page.next.rawValue), begin,
                generation: received.generation)
            world.recorder.note(
                History.Read(
                    client: name, process: process.name, begin: begin, end: world.scheduler.now,
                    from: received.from.rawValue, next: received.page.next.rawValue,
                    topicEnd: received.page.end.rawValue, wait: 0, messages: received.page.numbers), in: world.topic)
            return .received(received)
        case .failure(let error):
            switch error.code {
            case .leaseHeld, .unavailable, .topicNotFound: return .refused
            // Goes on where its operator sets it: nothing that is kept is passed over.
            case .offsetTrimmed where canLose:
                await seek(to: .earliest, by: process)
                return .refused
            // A lease that ended before its word came: what was handed out with it has to come again.
            case .leaseLost, .outcomeUnknown: return .unknown
            default:
                surprise("receives", error)
                return .unknown
            }
        case nil: return .unknown
        }
    }

    /// Commits; returns whether the lease is still its own, as far as it knows.
    func ack(_ offset: Offset, in generation: Generation, by process: SimulatedProcess) async -> Bool {
        let begin = world.scheduler.now
        let key = world.groupKey
        let result = await call(process) { [name] (log) throws(StreamsError) in
            try await log.acknowledge(key, below: offset, by: name, in: generation)
        }
        switch result {
        case .success(let group):
            note(.committed(group.committed.rawValue), begin, generation: generation)
            return true
        case .failure(let error):
            switch error.code {
            case .leaseLost: return false
            case .topicNotFound where canLose, .groupNotFound where canLose: return false
            case .unavailable, .outcomeUnknown: return true
            default: surprise("commits \(offset) in \(generation)", error)
            }
            return false
        case nil: return true
        }
    }

    func release(_ generation: Generation, by process: SimulatedProcess) async {
        let key = world.groupKey
        let begin = world.scheduler.now
        let result = await call(process) { [name] (log) throws(StreamsError) in
            try await log.release(key, by: name, in: generation)
        }
        switch result {
        case .success: note(.released, begin, generation: generation)
        case .failure(let error) where [.leaseLost, .unavailable, .outcomeUnknown].contains(error.code): break
        case .failure(let error) where canLose && [.topicNotFound, .groupNotFound].contains(error.code): break
        case .failure(let error): surprise("releases", error)
        case nil: break
        }
    }

    /// Whether topics are trimmed and deleted in its world.
    private var canLose: Bool { world.scenario.changeCount > 0 }

    func seek(to start: GroupStart, by process: SimulatedProcess) async {
        let begin = world.scheduler.now
        let key = world.groupKey
        if start != .earliest { world.recorder.change { $0.groupMayJump = true } }
        let result = await call(process) { (log) throws(StreamsError) in try await log.seek(key, to: start) }
        switch result {
        case .success(let group):
            note(.sought(group.committed.rawValue), begin, generation: group.generation)
        case .failure(let error) where [.topicNotFound, .groupNotFound, .offsetBeyondEnd].contains(error.code): break
        case .failure(let error) where canLose && error.code == .offsetTrimmed: break
        case .failure(let error) where error.code == .unavailable || error.code == .outcomeUnknown:
            note(.soughtPerhaps, begin, generation: nil)
        case .failure(let error): surprise("seeks", error)
        case nil: note(.soughtPerhaps, begin, generation: nil)
        }
    }

    /// Calls a process; `nil` where it died, and nobody hears of what came of it.
    private func call<Value: Sendable>(
        _ process: SimulatedProcess, _ body: @escaping @Sendable (Log) async throws(StreamsError) -> Value
    ) async -> Result<Value, StreamsError>? {
        let log = process.log
        let result: Result<Value, StreamsError> = await withTaskExecutorPreference(process.executor) {
            do throws(StreamsError) { return .success(try await body(log)) } catch { return .failure(error) }
        }
        return process.isAlive ? result : nil
    }

    private func note(_ kind: History.GroupEvent.Kind, _ begin: Int64, generation: Generation?) {
        world.recorder.note(
            History.GroupEvent(
                consumer: name, begin: begin, end: world.scheduler.now, generation: generation?.rawValue ?? 0,
                kind: kind))
    }

    private func surprise(_ what: String, _ error: StreamsError) {
        world.recorder.surprise("\(name) \(what), and meets \(error)")
    }
}
