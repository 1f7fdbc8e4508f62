/// By when the caller of the log must have its answer, whoever asks on its behalf.
///
///     await Deadline.$current.withValue(deadline) { await handler.respond(to: request) }
package enum Deadline {
    /// The moment, in ``TimeSource/uptime()`` of the log's own time source; `nil` where nobody is in a hurry.
    @TaskLocal package static var current: Duration?
}

extension Log {
    /// Whether the caller's deadline has come.
    package var isPastDeadline: Bool {
        guard let deadline = Deadline.current else { return false }
        return time.uptime() >= deadline
    }
}
