extension Scenario {
    /// The worlds whose schedules are gone through one by one: readers that close holes at once, and few operations.
    package static var smallWorlds: [(name: String, scenario: Scenario)] {
        [
            ("two writers, one reader", small(writers: 2, readers: 1, appends: 1, batch: 2)),
            ("three writers, one reader", small(writers: 3, readers: 1, appends: 1, batch: 2)),
            ("two writers, two readers", small(writers: 2, readers: 2, appends: 1, batch: 2)),
            ("two writers of two appends, one reader", small(writers: 2, readers: 1, appends: 2, batch: 2)),
        ]
    }

    private static func small(writers: Int, readers: Int, appends: Int, batch: Int) -> Scenario {
        var scenario = Scenario(seed: 7)
        scenario.processCount = max(writers, readers + 1)
        scenario.writerCount = writers
        scenario.readerCount = readers
        scenario.appendsPerWriter = appends
        scenario.batchMaximum = batch
        scenario.holeTimeout = .zero
        scenario.thinking = 0...0
        return scenario
    }
}
