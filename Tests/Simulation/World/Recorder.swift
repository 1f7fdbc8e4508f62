import StreamsModel
import Synchronization

/// Writes down what clients see.
final class Recorder: Sendable {
    private struct State {
        var history = History()
        var messageCount = 0
    }

    private let scheduler: Scheduler
    private let trace: Trace
    private let state = Mutex(State())

    init(_ scheduler: Scheduler, _ trace: Trace) {
        self.scheduler = scheduler
        self.trace = trace
    }

    /// What was seen so far.
    var history: History { state.withLock { $0.history } }

    func expectWakeUps() { state.withLock { $0.history.expectsWakeUps = true } }

    func keep(atLeast retention: Int64) { state.withLock { $0.history.retention = retention } }

    /// Numbers for messages, none given out before.
    func newMessages(_ count: Int) -> [Int] {
        state.withLock { state in
            defer { state.messageCount += count }
            return (0..<count).map { state.messageCount + $0 + 1 }
        }
    }

    func beginAppend(_ client: String, _ messages: [Int], _ process: String, _ wish: History.Wish) -> Int64 {
        trace.note { "\(client) appends \(messages) by \(process)\(wish.words)" }
        return scheduler.now
    }

    func endAppend(
        _ client: String, _ messages: [Int], begin: Int64, _ outcome: History.Outcome, _ wish: History.Wish
    ) {
        let end = scheduler.now
        trace.note {
            switch outcome {
            case .acknowledged(let range):
                "\(client): \(messages) acknowledged at \(range.lowerBound)…\(range.upperBound - 1)"
            case .refused: "\(client): \(messages) not written"
            case .unknown: "\(client): \(messages) perhaps written"
            }
        }
        state.withLock { state in
            state.history.appends.append(
                History.Append(
                    client: client, begin: begin, end: end, messages: messages, outcome: outcome, wish: wish))
        }
    }

    /// Notes that a token was set, or that nobody knows (`nil`).
    func noteFence(_ client: String, _ token: String, begin: Int64, topicEnd: Int64?) {
        let end = scheduler.now
        trace.note {
            "\(client): the token \(token) \(topicEnd.map { "is set, and the end is \($0)" } ?? "is perhaps set")"
        }
        state.withLock {
            $0.history.fences.append(History.Fence(token: token, begin: begin, end: end, topicEnd: topicEnd))
        }
    }

    func note(_ read: History.Read) {
        trace.note {
            let messages = read.messages.map { "\($0.offset):\($0.number)" }.joined(separator: " ")
            return
                "\(read.client) read from \(read.from) to \(read.next) of \(read.topicEnd) by \(read.process): \(messages)"
        }
        state.withLock { $0.history.reads.append(read) }
    }

    /// Notes a failed read; returns where to go on if it said so.
    func note(
        _ error: StreamsError, _ client: String, begin: Int64, from: Int64
    ) -> (next: Int64, topicEnd: Int64?)? {
        trace.note { "\(client) read from \(from): \(error)" }
        let refusal = History.Refusal(
            client: client, begin: begin, end: scheduler.now, from: from,
            earliest: error.context.earliestOffset?.rawValue, topicEnd: error.context.endOffset?.rawValue)
        switch error.code {
        case .offsetTrimmed:
            state.withLock { $0.history.refusals.append(refusal) }
            return refusal.earliest.map { ($0, refusal.topicEnd) }
        case .offsetBeyondEnd:
            // Readers ask for what they were told to go on with.
            surprise("\(client) was told that \(from) lies past the end, \(refusal.topicEnd ?? 0)")
            state.withLock { $0.history.refusals.append(refusal) }
        case .unavailable: break
        default: surprise("\(client) met an error that no read should meet: \(error)")
        }
        return nil
    }

    /// Notes something that must not happen.
    func surprise(_ text: String) {
        trace.note { "(!) \(text)" }
        let now = scheduler.now
        state.withLock { $0.history.surprises.append(History.Surprise(at: now, text: text)) }
    }

    /// Notes that the messages of an object are gone without a word in the item.
    func forget(_ object: SimulatedS3.Object, at key: String) {
        guard let range = StoredRange(object, at: key) else { return }
        state.withLock { $0.history.forgotten.formUnion(range.first...range.last) }
    }

    /// Checks what stands at last: no two objects cover one offset.
    func noteStoredState(_ s3: SimulatedS3) {
        var last: (range: StoredRange, key: String)?
        for key in s3.keys {
            guard let object = s3.object(key), let range = StoredRange(object, at: key) else {
                surprise("the object \(key) is not readable")
                continue
            }
            if let last, range.first <= last.range.last {
                surprise("two objects cover offset \(range.first): those of \(last.range.last) and \(range.last)")
            }
            last = (range, key)
        }
    }
}

/// The offsets that an object covers.
private struct StoredRange {
    var first: Int64
    var last: Int64

    init?(_ object: SimulatedS3.Object, at key: String) {
        guard let first = object.metadata.first(where: { $0.name == "x-amz-meta-first" }).flatMap({ Int64($0.value) }),
            let last = key.split(separator: "/").last.flatMap({ Int64($0.prefix(20)) })
        else { return nil }
        self.first = first
        self.last = last
    }
}
