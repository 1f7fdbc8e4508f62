import Foundation
@testable import Simulation
import StreamsCore
import Testing

@Suite("A simulated world")
struct DeterminismTests {
    @Test("is the same for the same seed, and another one for another")
    func sameSeed() throws {
        var traces: Set<[String]> = []
        for seed in 1...40 as ClosedRange<UInt64> {
            let first = try World.run(.drawn(seed: seed), keepsTrace: true).trace
            let second = try World.run(.drawn(seed: seed), keepsTrace: true).trace
            #expect(first == second, "seed \(seed)")
            #expect(traces.insert(first).inserted, "seed \(seed)")
        }
    }

    /// Another process has another seed for its hash tables.
    @Test("is the same in another process")
    func otherProcess() throws {
        for seed in [3, 17, 29] as [UInt64] {
            let here = try World.run(.drawn(seed: seed), keepsTrace: true).trace
            let there = try replay(seed)
            #expect(here.count > 20)
            #expect(there.prefix(here.count) == here[...], "seed \(seed)")
        }
    }

    /// A campaign lives hundreds of thousands of them through.
    @Test("leaves nothing behind")
    func nothingIsLeft() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            let left = Left()
            try {
                let world = try World(.drawn(seed: seed), gate: nil, keepsTrace: false)
                _ = world.live()
                left.world = world
                left.network = world.network
                left.scheduler = world.scheduler
                left.process = world.places.lazy.compactMap(\.process).first
                left.log = left.process?.log
            }()
            #expect(left.log == nil, "seed \(seed)")
            #expect(left.process == nil, "seed \(seed)")
            #expect(left.network == nil, "seed \(seed)")
            #expect(left.scheduler == nil, "seed \(seed)")
            #expect(left.world == nil, "seed \(seed)")
        }
    }

    private final class Left {
        weak var world: World?
        weak var network: Network?
        weak var scheduler: Scheduler?
        weak var process: SimulatedProcess?
        weak var log: Log?
    }

    private func replay(_ seed: UInt64) throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = root.appendingPathComponent(".build/debug/simulate")
        process.arguments = ["replay", "\(seed)"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(
            String.init)
    }
}
