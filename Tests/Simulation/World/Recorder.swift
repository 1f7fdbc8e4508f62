import StreamsModel
import Synchronization

/// Writes down what clients see.
final class Recorder: Sendable {
    private struct State {
        var history = History()
        /// Of the branches, by their names.
        var branches: [TopicName: History] = [:]
        var messageCount = 0

        /// Changes the history of a topic.
        mutating func change(_ topic: TopicName, _ body: (inout History) -> Void) {
            if branches[topic] == nil { body(&history) } else { body(&branches[topic, default: History()]) }
        }
    }

    private let scheduler: Scheduler
    let trace: Trace
    private let state = Mutex(State())

    init(_ scheduler: Scheduler, _ trace: Trace) {
        self.scheduler = scheduler
        self.trace = trace
    }

    /// What was seen so far.
    var history: History { state.withLock { $0.history } }

    /// What was seen of the branches.
    var branches: [TopicName: History] { state.withLock { $0.branches } }

    /// Keeps a history of its own of a new branch.
    func beginBranch(_ topic: TopicName, _ point: History.BranchPoint) {
        state.withLock { state in
            state.branches[topic] = History()
            state.branches[topic]?.branch = point
        }
    }

    /// Adds to the history of a topic.
    func change(_ topic: TopicName, _ body: (inout History) -> Void) {
        state.withLock { $0.change(topic, body) }
    }

    /// Writes a line into the trace.
    func tell(_ text: () -> String) { trace.note(text) }
    /// Adds to what was seen.
    func change(_ body: (inout History) -> Void) { state.withLock { body(&$0.history) } }

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

    func endAppend(_ append: History.Append, in topic: TopicName) {
        trace.note {
            switch append.outcome {
            case .acknowledged(let range):
                "\(append.client): \(append.messages) acknowledged at \(range.lowerBound)…\(range.upperBound - 1)"
            case .refused: "\(append.client): \(append.messages) not written"
            case .unknown where append.isToldGone: "\(append.client): \(append.messages) are gone, or never were"
            case .unknown: "\(append.client): \(append.messages) perhaps written"
            }
        }
        change(topic) { $0.appends.append(append) }
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

    func note(_ read: History.Read, in topic: TopicName) {
        trace.note {
            let messages = read.messages.map { "\($0.offset):\($0.number)" }.joined(separator: " ")
            return
                "\(read.client) read from \(read.from) to \(read.next) of \(read.topicEnd) by \(read.process): \(messages)"
        }
        change(topic) { $0.reads.append(read) }
    }

    /// Notes a failed read; returns where to go on if it said so.
    func note(
        _ error: StreamsError, _ client: String, begin: Int64, from: Int64, in topic: TopicName
    ) -> (next: Int64, topicEnd: Int64?)? {
        trace.note { "\(client) read from \(from): \(error)" }
        let refusal = History.Refusal(
            client: client, begin: begin, end: scheduler.now, from: from,
            earliest: error.context.earliestOffset?.rawValue, topicEnd: error.context.endOffset?.rawValue)
        switch error.code {
        case .offsetTrimmed:
            change(topic) { $0.refusals.append(refusal) }
            return refusal.earliest.map { ($0, refusal.topicEnd) }
        case .offsetBeyondEnd:
            // Readers ask for what they were told to go on with.
            surprise("\(client) was told that \(from) lies past the end, \(refusal.topicEnd ?? 0)")
            change(topic) { $0.refusals.append(refusal) }
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

    /// Notes that everything below an offset was let go.
    func noteTrim(before offset: Int64) {
        state.withLock { $0.history.trimmedBefore = max($0.history.trimmedBefore, offset) }
    }

    /// Checks what stands at last: no two objects cover one offset.
    func noteStoredState(_ s3: SimulatedS3, mayOverlap: Bool) {
        var last: (range: StoredRange, key: String)?
        // Keys come in order: topic by topic, and by offset.
        func isOfOneTopic(_ one: String, _ other: String) -> Bool {
            one.dropLast(25) == other.dropLast(25)
        }
        for key in s3.keys {
            guard let object = s3.object(key), let range = StoredRange(object, at: key) else {
                surprise("the object \(key) is not readable")
                continue
            }
            if let last, isOfOneTopic(last.key, key), range.first <= last.range.last, !mayOverlap {
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
