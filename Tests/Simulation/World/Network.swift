import NIOCore
import NIOHTTP1
import StreamsAWS
import StreamsModel
import Synchronization

/// Carries requests to the simulated services and answers back, with faults; nothing that was sent can be taken back.
final class Network: Sendable {
    /// One of the services.
    enum Service: String, Sendable, CaseIterable {
        /// The bucket.
        case s3
        /// The table.
        case dynamoDB
    }

    private struct State {
        var throttledUntil: [Service: Int64] = [:]
        var writesInFlight = 0
        var isCalm = false
        var itemLostAt: Timestamp?
        var interferences: [Interference] = []
    }

    /// S3 and DynamoDB refuse what is signed with a time further off than this, in milliseconds.
    static let skewMaximum: Int64 = 15 * 60 * 1000

    let scheduler: Scheduler
    let choices: Choices
    let trace: Trace
    let s3: SimulatedS3
    let dynamoDB = SimulatedDynamoDB()
    let counts = FaultCounts()
    private let scenario: Scenario
    private let state = Mutex(State())
    /// Where every request waits for the word of ``Explorer``, instead of for its time.
    let gate: RequestGate?

    init(_ scenario: Scenario, gate: RequestGate?, keepsTrace: Bool) {
        self.scenario = scenario
        self.gate = gate
        choices = Choices(seed: scenario.seed)
        scheduler = Scheduler(choices, isFair: gate != nil)
        trace = Trace(scheduler, isKept: keepsTrace)
        s3 = SimulatedS3(pageMaximum: scenario.pageMaximum)
    }

    /// Lets nothing go wrong from now on.
    func calm() {
        state.withLock { state in
            state.isCalm = true
            state.throttledUntil = [:]
        }
    }

    var isCalm: Bool { state.withLock { $0.isCalm } }

    /// How many writes are on their way.
    var writesInFlight: Int { state.withLock { $0.writesInFlight } }

    /// Whether a fault is met now; if so it is counted.
    func meets(_ fault: Fault) -> Bool {
        guard !isCalm, choices.happens(permille: scenario.faults.permille[fault, default: 0]) else { return false }
        counts.count(fault)
        return true
    }

    /// Refuses all requests to a service for so long.
    func throttle(_ service: Service, microseconds: Int64) {
        counts.count(.throttling)
        state.withLock { $0.throttledUntil[service] = scheduler.now + microseconds }
    }

    /// Lets something happen to the next request that matches.
    func interfere(
        _ effect: Interference.Effect, _ matches: @escaping @Sendable (SimulatedProcess, SimulatedRequest) -> Bool
    ) {
        state.withLock { $0.interferences.append(Interference(effect: effect, matches: matches)) }
    }

    /// Loses an item, or puts an older one in its place.
    func setBack(_ key: String, to backup: DynamoDBItem?) {
        counts.count(.lostItem)
        let now = ProcessClock.trueTime(scheduler)
        state.withLock { $0.itemLostAt = now }
        trace.note { "the item is \(backup.map { "set back to \($0["current_offset"]?.integer ?? 0)" } ?? "lost")" }
        dynamoDB.set(key, to: backup)
    }

    /// When the topic's item was last lost or set back; `nil` where it never was.
    var itemLostAt: Timestamp? { state.withLock { $0.itemLostAt } }

    /// Sends a request of a process; the exchange resolves when its answer comes, if it does.
    func send(_ request: SimulatedRequest, from process: SimulatedProcess, _ exchange: Exchange) {
        let interference = state.withLock { state -> Interference? in
            guard let index = state.interferences.firstIndex(where: { $0.matches(process, request) }) else {
                return nil
            }
            return state.interferences.remove(at: index)
        }
        switch interference?.effect {
        case .delay(let delay): return deliver(request, after: delay, from: process, exchange)
        case .twice(let delay):
            deliver(request, after: delay, from: process, nil)
            return deliver(request, after: 1000, from: process, exchange)
        case .lastWord(let delay):
            deliver(request, after: delay, from: process, nil)
            return process.crash("while \(request.name) is on its way")
        case .death: return process.crash("before \(request.name)")
        case .stall(let time): return process.freeze(microseconds: time)
        case .sleep(let time):
            deliver(request, after: 1000, from: process, exchange, thenSleeps: time)
            return
        case nil: break
        }
        guard gate == nil else {
            gate?.hold(request, from: process, exchange)
            return
        }
        if meets(.requestLost) {
            fail(exchange, request, "lost on its way")
            return
        }
        deliver(request, after: delay(), from: process, exchange)
    }

    private func delay() -> Int64 {
        if isCalm { return choices.microseconds(1_000...5_000) }
        if meets(.late) { return choices.microseconds(10_000_000...7_200_000_000) }
        if meets(.slow) { return choices.microseconds(200_000...9_000_000) }
        return choices.microseconds(scenario.latency)
    }

    private func deliver(
        _ request: SimulatedRequest, after delay: Int64, from process: SimulatedProcess, _ exchange: Exchange?,
        thenSleeps time: Int64? = nil
    ) {
        if request.isWrite { state.withLock { $0.writesInFlight += 1 } }
        scheduler.after(delay) {
            if request.isWrite { self.state.withLock { $0.writesInFlight -= 1 } }
            let answer = self.answer(request, from: process)
            guard let exchange else { return }
            // What a service has refused as too much, it does not do later.
            if request.isWrite, ![400, 403, 409, 503].contains(answer.status), self.meets(.duplicate) {
                self.deliver(request, after: self.choices.microseconds(0...7_200_000_000), from: process, nil)
            }
            if self.meets(.crash) { process.crash("after \(request.name)") }
            if self.meets(.freeze) { process.freeze() }
            if let time { process.freeze(microseconds: time) }
            if self.meets(.answerLost) {
                self.fail(exchange, request, "its answer was lost")
            } else {
                self.scheduler.after(self.delay()) {
                    if self.meets(.crash) { process.crash("with the answer to \(request.name)") }
                    exchange.resolve(.success(answer))
                }
            }
        }
    }

    /// A connection that breaks, or an answer that does not come.
    private func fail(_ exchange: Exchange, _ request: SimulatedRequest, _ why: String) {
        trace.note { "\(request.name) \(why)" }
        guard choices.happens(permille: 500) else { return }
        scheduler.after(choices.microseconds(scenario.latency)) {
            exchange.resolve(.failure(AWSTransportFailure(.connectionClosed, isSent: true, cause: "simulated")))
        }
    }

    /// What a service says to a request that arrives now.
    func answer(_ request: SimulatedRequest, from process: SimulatedProcess) -> AWSTransportAnswer {
        let answer = stamped(judge(request), request)
        trace.note { "\(process.name) \(request.name) → \(request.summary(of: answer))" }
        return answer
    }

    private func judge(_ request: SimulatedRequest) -> AWSTransportAnswer {
        let isThrottled = state.withLock { $0.throttledUntil[request.service, default: 0] > scheduler.now }
        if isThrottled { return request.refusal(503, s3: "SlowDown", dynamoDB: "ThrottlingException") }
        let now = ProcessClock.trueTime(scheduler)
        guard abs(now.milliseconds - request.signedAt.milliseconds) <= Self.skewMaximum else {
            return request.refusedForItsTime
        }
        // What was confirmed before the item was lost, and claims only now, is beyond what is promised.
        if let itemLostAt, request.confirmsEnd, request.signedAt <= itemLostAt {
            return request.refusal(500, s3: "", dynamoDB: "InternalServerError")
        }
        if meets(.serverFault) {
            return request.refusal(choices.one(of: [500, 503]), s3: "InternalError", dynamoDB: "InternalServerError")
        }
        if request.isConditionalPut, meets(.conflict) {
            return request.refusal(409, s3: "ConditionalRequestConflict", dynamoDB: "")
        }
        let answer: AWSTransportAnswer =
            switch request.content {
            case .s3(let request): s3.answer(request, at: now)
            case .dynamoDB(let request): dynamoDB.answer(request)
            }
        if answer.status == 200, meets(.serverFaultAfterEffect) {
            return request.refusal(500, s3: "InternalError", dynamoDB: "InternalServerError")
        }
        return answer
    }

    private func stamped(_ answer: AWSTransportAnswer, _ request: SimulatedRequest) -> AWSTransportAnswer {
        var answer = answer
        answer.headers.add(name: "x-amz-request-id", value: "simulated")
        answer.headers.add(name: "date", value: HTTPDateText.of(ProcessClock.trueTime(scheduler)))
        return answer
    }
}

/// What happens to one request, once.
struct Interference: Sendable {
    enum Effect: Sendable {
        /// It is on its way for so long.
        case delay(Int64)
        /// It arrives at once, and once more after so long.
        case twice(Int64)
        /// It is on its way for so long, and its sender dies at once.
        case lastWord(Int64)
        /// Its sender dies instead of sending it.
        case death
        /// It is lost, and its sender stands still for so long.
        case stall(Int64)
        /// It arrives at once, and its sender stands still for so long before it sees the answer.
        case sleep(Int64)
    }

    var effect: Effect
    var matches: @Sendable (SimulatedProcess, SimulatedRequest) -> Bool
}

/// Where the answer to a request is waited for.
typealias Exchange = OneShot<Result<AWSTransportAnswer, AWSTransportFailure>>

/// How often each fault was met.
final class FaultCounts: Sendable {
    private let counts = Mutex<[Fault: Int]>([:])

    /// Nothing counted yet.
    init() {}

    func count(_ fault: Fault) { counts.withLock { $0[fault, default: 0] += 1 } }

    /// The counts.
    var snapshot: [Fault: Int] { counts.withLock { $0 } }
}
