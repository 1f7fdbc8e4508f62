import StreamsAWS
import Synchronization

/// Holds every request until it is decided what becomes of it: what turns a world into one of ``Explorer``'s.
///
/// Whenever no task can go on there is a choice: which request arrives next, whether it or its answer gets lost, whether
/// it arrives long after its sender has given up, whether a process dies, or whether time goes by first.
final class RequestGate: Sendable {
    private struct Held {
        var request: SimulatedRequest
        var process: SimulatedProcess
        var exchange: Exchange
    }

    private struct State {
        var held: [Held] = []
        /// Writes that were given up by their senders and may still arrive.
        var late: [Held] = []
        // The world holds its network, and that its gate.
        weak var world: World?
    }

    /// What may become of things; the first that is possible is what happens without ado.
    private enum Option {
        case answer(Int)
        case passTime
        case arriveLate(Int)
        case loseAnswer(Int)
        case loseRequest(Int)
        case giveUp(Int)
        case crash(SimulatedProcess)
    }

    /// What decides.
    let choices: Choices
    /// How often something else than the first possibility may be chosen because of a crash.
    private let crashMaximum: Int
    private let crashCount = Mutex(0)
    private let state = Mutex(State())

    /// Makes a gate that decides by `choices`.
    init(_ choices: Choices, crashMaximum: Int = 1) {
        self.choices = choices
        self.crashMaximum = crashMaximum
    }

    /// Stands in front of a world's network.
    func guardNetwork(of world: World) {
        state.withLock { $0.world = world }
        world.scheduler.whenIdle { self.step(world) }
    }

    func hold(_ request: SimulatedRequest, from process: SimulatedProcess, _ exchange: Exchange) {
        state.withLock { $0.held.append(Held(request: request, process: process, exchange: exchange)) }
    }

    /// Whether a write is still on its way.
    var hasLate: Bool { state.withLock { !$0.late.isEmpty } }

    /// Lets everything arrive that is still on its way.
    func arriveAll() {
        while hasLate { perform(.arriveLate(0)) }
    }

    private func step(_ world: World) -> Bool {
        let options = options(world)
        guard !options.isEmpty else { return false }
        // In the calm nothing is left to chance.
        let choice = world.isCalm ? 0 : choices.below(options.count)
        perform(options[choice])
        return true
    }

    private func options(_ world: World) -> [Option] {
        let (held, late) = state.withLock { ($0.held, $0.late.count) }
        var options: [Option] = held.indices.map { .answer($0) }
        if world.scheduler.hasEvents { options.append(.passTime) }
        guard !world.isCalm else { return options }
        options += (0..<late).map { .arriveLate($0) }
        for (index, one) in held.enumerated() where one.request.isWrite {
            options += [.loseAnswer(index), .loseRequest(index), .giveUp(index)]
        }
        if crashCount.withLock({ $0 }) < crashMaximum {
            options += world.places.compactMap(\.process).map { .crash($0) }
        }
        return options
    }

    private func perform(_ option: Option) {
        guard let world = state.withLock({ $0.world }) else { return }
        switch option {
        case .passTime: _ = world.scheduler.happenNext()
        case .answer(let index):
            let held = take(index)
            held.exchange.resolve(.success(world.network.answer(held.request, from: held.process)))
        case .loseAnswer(let index):
            let held = take(index)
            _ = world.network.answer(held.request, from: held.process)
            fail(held, world, "its answer is lost")
        case .loseRequest(let index): fail(take(index), world, "is lost on its way")
        case .giveUp(let index):
            let held = take(index)
            state.withLock { $0.late.append(held) }
            fail(held, world, "is on its way, and its sender gives it up")
        case .arriveLate(let index):
            let held = state.withLock { $0.late.remove(at: index) }
            world.trace.note { "late:" }
            _ = world.network.answer(held.request, from: held.process)
        case .crash(let process):
            crashCount.withLock { $0 += 1 }
            process.crash("now")
        }
    }

    private func take(_ index: Int) -> Held { state.withLock { $0.held.remove(at: index) } }

    private func fail(_ held: Held, _ world: World, _ how: String) {
        world.trace.note { "\(held.process.name) \(held.request.name): \(how)" }
        held.exchange.resolve(.failure(AWSTransportFailure(.connectionClosed, isSent: true, cause: "simulated")))
    }
}
