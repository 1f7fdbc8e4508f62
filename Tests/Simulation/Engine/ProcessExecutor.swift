import Synchronization

/// Runs the tasks of one process on the world's scheduler, but for the time in which the process is frozen.
final class ProcessExecutor: TaskExecutor {
    private struct State {
        var isFrozen = false
        var held: [UnownedJob] = []
    }

    private let scheduler: Scheduler
    private let state = Mutex(State())

    /// Makes one that runs.
    init(_ scheduler: Scheduler) {
        self.scheduler = scheduler
    }

    /// Takes a job, or holds it.
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isHeld = state.withLock { state in
            if state.isFrozen { state.held.append(job) }
            return state.isFrozen
        }
        if !isHeld { scheduler.enqueue(job, on: asUnownedTaskExecutor()) }
    }

    /// Lets no task of the process go on; what is under way outside of it goes on.
    func freeze() {
        state.withLock { $0.isFrozen = true }
    }

    /// Lets the tasks go on where they were.
    func thaw() {
        let held = state.withLock { state in
            defer { state.held = [] }
            state.isFrozen = false
            return state.held
        }
        for job in held { scheduler.enqueue(job, on: asUnownedTaskExecutor()) }
    }
}
