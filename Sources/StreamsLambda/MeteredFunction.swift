package import LambdaRuntime
package import StreamsCore
import StreamsModel
import Synchronization

/// A function whose log also says, after each invocation, what has been counted since the one before.
///
/// CloudWatch makes metrics of such lines, without any call. Where nothing has changed there is no line.
package final class MeteredFunction: InvocationHandler {
    /// What is counted; all of it only ever grows.
    package struct Counts: Sendable, Equatable {
        /// What the log did.
        package var log: LogCounters.Snapshot
        /// Requests sent to AWS, by service and operation, such as `s3.PutObject`.
        package var requests: [String: Int]
        /// Answers of AWS that asked for fewer requests.
        package var throttles: Int

        /// Takes counts together.
        package init(log: LogCounters.Snapshot, requests: [String: Int], throttles: Int) {
            self.log = log
            self.requests = requests
            self.throttles = throttles
        }
    }

    private let function: any InvocationHandler
    private let name: String
    private let time: any TimeSource
    private let counts: @Sendable () -> Counts
    private let write: @Sendable ([UInt8]) -> Void
    /// The counts of the last lines; `nil` before the first.
    private let written = Mutex<Counts?>(nil)

    /// Makes a function that answers as `function` does.
    ///
    /// - Parameters:
    ///   - function: what answers events.
    ///   - name: the function's name, which tells deployments apart.
    ///   - time: says when a line is written.
    ///   - counts: the counts as they are.
    ///   - write: gets each line whole, with its line break.
    package init(
        _ function: any InvocationHandler, name: String, time: any TimeSource,
        counts: @escaping @Sendable () -> Counts,
        write: @escaping @Sendable ([UInt8]) -> Void = JSONLineLogHandler.writeToStandardError
    ) {
        self.function = function
        self.name = name
        self.time = time
        self.counts = counts
        self.write = write
    }

    package func handle(_ invocation: Invocation) async throws(InvocationFailure) -> InvocationAnswer {
        // Before the answer goes out: right after it the process is frozen.
        defer { writeChanges() }
        let answer = try await function.handle(invocation)
        guard case .stream(let prelude, let body) = answer else { return answer }
        return .stream(prelude: prelude) { stream in
            defer { self.writeChanges() }
            try await body(stream)
        }
    }

    package func answerInsteadOfTooLarge(_ invocation: Invocation) -> [UInt8] {
        function.answerInsteadOfTooLarge(invocation)
    }

    private func writeChanges() {
        let now = counts()
        let before = written.withLock { written in
            defer { written = now }
            return written
        }
        for line in MetricLine.lines(of: now, since: before) {
            write(line.encoded(function: name, at: time.now()) + [UInt8(ascii: "\n")])
        }
    }
}
