import Foundation
import Synchronization

/// A program in a process of its own, spoken to by lines; it is told to end when its standard input closes, so that it
/// can not outlive the tests.
final class ChildProcess: Sendable {
    private let process: Mutex<Process>
    private let input: FileHandle
    private let output: LineReader

    /// Starts a program of this checkout; what it says on standard error goes to the test's.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let url = URL(fileURLWithPath: program, relativeTo: Checkout.root)
        guard FileManager.default.isExecutableFile(atPath: url.path) else {
            throw Missing(what: url.path)
        }
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.currentDirectoryURL = Checkout.root
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        if ProcessInfo.processInfo.environment["VERBOSE"] == nil { process.standardError = FileHandle.nullDevice }
        try process.run()
        self.process = Mutex(process)
        self.input = input.fileHandleForWriting
        self.output = LineReader(output.fileHandleForReading)
    }

    /// A program that the tests need and that is not there.
    struct Missing: Error, CustomStringConvertible {
        let what: String
        var description: String { "\(what) is missing: run 'scripts/setup --test' and 'swift build' first." }
    }

    /// A program that ended before it said what was waited for.
    struct Ended: Error {
        let waitedFor: String
    }

    /// The next line that begins with `prefix`.
    func line(beginningWith prefix: String) async throws -> String {
        while let line = await output.next() {
            if line.hasPrefix(prefix) { return line }
        }
        throw Ended(waitedFor: prefix)
    }

    /// Asks the program to end (SIGTERM), waits for that, and returns its exit status.
    @discardableResult
    func end() async -> Int32 {
        try? input.close()
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                process.withLock { process in
                    process.terminate()
                    process.waitUntilExit()
                    continuation.resume(returning: process.terminationStatus)
                }
            }
        }
    }
}

/// Reads lines on a thread of its own.
private final class LineReader: Sendable {
    private let lines: AsyncStream<String>
    private let iterator: Mutex<AsyncStream<String>.Iterator?>

    init(_ file: FileHandle) {
        let (lines, continuation) = AsyncStream<String>.makeStream()
        self.lines = lines
        iterator = Mutex(nil)
        Thread.detachNewThread {
            var rest = Data()
            while true {
                let part = file.availableData
                if part.isEmpty { break }
                rest.append(part)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    continuation.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
            continuation.finish()
        }
    }

    func next() async -> String? {
        for await line in lines { return line }
        return nil
    }
}

/// Where this checkout is.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A program that the build made.
    static func binary(_ name: String, variable: String) -> String {
        ProcessInfo.processInfo.environment[variable] ?? root.appendingPathComponent(".build/debug/\(name)").path
    }
}
