import Dispatch
import Foundation
import Synchronization

/// Whether somebody asked a long command to end: it then stops between two steps, and says what is left.
final class Interruption: Sendable {
    private let flag = Mutex(false)
    private let deadline: ContinuousClock.Instant?

    /// Also comes by itself after so many minutes.
    init(minutes: Double? = nil) {
        deadline = minutes.map { ContinuousClock.now + .seconds($0 * 60) }  // tidy: allow a command has no clock given
    }

    /// Whether it has come.
    var hasCome: Bool {
        if let deadline, ContinuousClock.now >= deadline { return true }  // tidy: allow a command has no clock given
        return flag.withLock { $0 }
    }

    /// Listens for Ctrl-C and SIGTERM as long as what it returns is kept.
    func listen() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { self.flag.withLock { $0 = true } }
            source.resume()
            return source
        }
    }
}
