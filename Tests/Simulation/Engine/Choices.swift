import StreamsTesting
import Synchronization

/// Every decision of a simulated world that is not the code's own: the order of tasks, latencies, faults, crashes.
///
/// Equal choices, equal world. They come from a seed, or from a script that ``Explorer`` writes.
package final class Choices: Sendable {
    /// One decision that was made: which of how many.
    package struct Decision: Sendable, Equatable {
        /// What was chosen, from 0.
        package var choice: Int
        /// How many there were to choose from.
        package var count: Int
    }

    private enum Source {
        case random(SplitMix64)
        case script([Int], made: [Decision])
    }

    private let source: Mutex<Source>

    /// Draws everything from a seed.
    init(seed: UInt64) {
        source = Mutex(.random(SplitMix64(seed: seed)))
    }

    /// Follows a script as far as it goes, and takes the first of all possibilities from there on.
    init(script: [Int]) {
        source = Mutex(.script(script, made: []))
    }

    /// What was decided so far, where a script is followed.
    var decisions: [Decision] {
        source.withLock { source in
            if case .script(_, let made) = source { made } else { [] }
        }
    }

    /// A number from 0 to below `count`, which is at least 1.
    func below(_ count: Int) -> Int {
        guard count > 1 else { return 0 }
        return source.withLock { source in
            switch source {
            case .random(var random):
                let choice = random.next(below: count)
                source = .random(random)
                return choice
            case .script(let script, var made):
                let choice = made.count < script.count ? min(script[made.count], count - 1) : 0
                made.append(Decision(choice: choice, count: count))
                source = .script(script, made: made)
                return choice
            }
        }
    }

    /// Whether something of this probability, in thousandths, happens; what is impossible costs no decision.
    func happens(permille: Int) -> Bool {
        permille > 0 && below(1000) >= 1000 - permille
    }

    /// A time within bounds, in microseconds.
    func microseconds(_ bounds: ClosedRange<Int64>) -> Int64 {
        bounds.lowerBound + Int64(below(Int(bounds.upperBound - bounds.lowerBound) + 1))
    }

    /// One of several values, of which there is at least one.
    func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }
}
