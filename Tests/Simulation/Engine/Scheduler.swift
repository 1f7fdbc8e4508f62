import HeapModule
import Synchronization

/// Runs Swift's tasks one job at a time, on the thread that calls ``run(until:)``, under virtual time.
///
/// Which of the jobs that are ready runs next is drawn from the ``Choices``; when none is, time moves to the next
/// event. Everything that is started with this executor as its preference stays on it, child tasks too, so that equal
/// choices give an equal run. `Task.yield()` must not be used: it goes by way of the global executor.
final class Scheduler: TaskExecutor {
    /// Something that happens at a time.
    private struct Event: Comparable {
        var due: Int64
        var order: UInt64
        var action: @Sendable () -> Void

        static func < (left: Event, right: Event) -> Bool {
            left.due != right.due ? left.due < right.due : left.order < right.order
        }

        static func == (left: Event, right: Event) -> Bool { left.order == right.order }
    }

    private struct State {
        var ready: [(job: UnownedJob, executor: UnownedTaskExecutor)] = []
        var events = Heap<Event>()
        var now: Int64 = 0
        var nextOrder: UInt64 = 0
        var stepCount = 0
    }

    /// How a run ended.
    enum End: Equatable, Sendable {
        /// What was to be reached was reached.
        case done
        /// Nothing is left that could run, and it was not reached.
        case stuck
        /// It was not reached in so many steps that something goes round for ever.
        case endless
    }

    /// More steps than any world needs.
    private static let stepMaximum = 200_000

    private let choices: Choices
    private let isFair: Bool
    private let state = Mutex(State())
    /// Asked when no job is ready, before time moves on; returns whether it did something.
    private let whenIdle: Mutex<(@Sendable () -> Bool)?> = Mutex(nil)
    private let thread = ThreadIdentity()

    /// Makes a scheduler for the calling thread.
    ///
    /// With `isFair` jobs run in the order in which they became ready; otherwise in one that is drawn.
    init(_ choices: Choices, isFair: Bool) {
        self.choices = choices
        self.isFair = isFair
    }

    /// Takes a job of the world itself.
    func enqueue(_ job: consuming ExecutorJob) {
        enqueue(UnownedJob(job), on: asUnownedTaskExecutor())
    }

    /// Takes a job of a process.
    func enqueue(_ job: UnownedJob, on executor: UnownedTaskExecutor) {
        precondition(thread.isCurrent, "a task of a simulated world ran outside of it")
        state.withLock { $0.ready.append((job, executor)) }
    }

    /// Virtual time, in microseconds since the world began.
    var now: Int64 { state.withLock { $0.now } }

    /// Lets something happen after so many microseconds, at least 0.
    func after(_ microseconds: Int64, _ action: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.nextOrder += 1
            state.events.insert(
                Event(due: state.now + max(microseconds, 0), order: state.nextOrder, action: action))
        }
    }

    /// Lets everything go on that is ready.
    func giveWay() async {
        let turn = OneShot<Void>()
        after(0) { turn.resolve(()) }
        await turn.value()
    }

    /// Has `action` asked whenever no job is ready.
    func whenIdle(_ action: @escaping @Sendable () -> Bool) {
        whenIdle.withLock { $0 = action }
    }

    /// Whether anything waits for its time.
    var hasEvents: Bool { state.withLock { !$0.events.isEmpty } }

    /// Moves time to the next event and lets it happen; returns whether there was one.
    func happenNext() -> Bool {
        let event: Event? = state.withLock { state in
            guard let event = state.events.popMin() else { return nil }
            state.now = max(state.now, event.due)
            return event
        }
        event?.action()
        return event != nil
    }

    /// Lets nothing happen any more.
    func end() {
        state.withLock { $0.events = Heap() }
        whenIdle.withLock { $0 = nil }
    }

    /// Runs jobs and lets time pass until something is so.
    func run(until isDone: () -> Bool) -> End {
        while !isDone() {
            let stepCount = state.withLock { state in
                state.stepCount += 1
                return state.stepCount
            }
            guard stepCount < Self.stepMaximum else { return .endless }
            if let (job, executor) = takeReady() {
                job.runSynchronously(on: executor)
                continue
            }
            if let idle = whenIdle.withLock({ $0 }), idle() { continue }
            guard happenNext() else { return .stuck }
        }
        return .done
    }

    private func takeReady() -> (UnownedJob, UnownedTaskExecutor)? {
        let count = state.withLock { $0.ready.count }
        guard count > 0 else { return nil }
        let index = isFair ? 0 : choices.below(count)
        return state.withLock { $0.ready.remove(at: index) }
    }
}
