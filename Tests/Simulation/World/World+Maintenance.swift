import StreamsCore
import StreamsModel

extension Scenario {
    /// Lets one or two maintainers work, in a world of hours; each has bounds of its own.
    mutating func letMaintainersWork(_ choices: Choices) {
        maintainers = (0..<(1 + choices.below(2))).map { _ in
            var settings = MaintenanceSettings()
            settings.segmentsMinimum = 2
            settings.partsMaximum = choices.one(of: [2, 3, 5, 100])
            settings.largeBytes = choices.one(of: [100, 200, 100_000])
            settings.fetchMaximum = choices.one(of: [1, 3, 100])
            return settings
        }
        appendsPerWriter = 3 + choices.below(6)
        absencePermille = choices.one(of: [100, 300])
        hasCaches = choices.happens(permille: 500)
        if faults.has(.expiry) { retentionDays = choices.one(of: [1, 2]) }
    }
}

extension World {
    /// Maintains the topic, now and then, by a process of the place at hand.
    func maintain(_ maintainer: Int) async {
        let settings = scenario.maintainers[maintainer]
        while !areWritersDone.isSet {
            await sleep(choices.microseconds(600_000_000...choices.one(of: [1_200_000_000, 14_400_000_000])))
            guard !areWritersDone.isSet, let process = places[maintainer % places.count].process else { continue }
            await maintain(by: process, settings)
        }
    }

    /// Reads the whole store as an operator would: nothing in it may be inconsistent.
    func verify(at place: Place) async {
        guard let process = place.process else { return }
        let result: Result<Verification.Summary, StoreError> = await withTaskExecutorPreference(process.executor) {
            do throws(StoreError) {
                return .success(
                    try await Verification(process.store, time: process.clock).run { [recorder] finding in
                        if finding.isError { recorder.surprise("verify found an error: \(finding.line)") }
                    })
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let summary):
            trace.note { "verify: \(summary.segments) segments of \(summary.topics) topics, \(summary.notes) notes" }
        case .failure(let error): recorder.surprise("the store can not be verified: \(error)")
        }
    }

    /// Maintains the topic and its branches once.
    func maintain(by process: SimulatedProcess, _ settings: MaintenanceSettings) async {
        trace.note { "\(process.name) maintains" }
        let topics = [topic] + recorder.branches.keys.sorted()
        let report = await withTaskExecutorPreference(process.executor) {
            await process.log.maintain(topics, on: process.store, settings: settings)
        }
        guard process.isAlive else { return }
        trace.note {
            "\(process.name) has maintained: \(report.before.segments) segments, now \(report.after.segments) "
                + "\(report.unfinished)"
        }
        for defect in report.defects { recorder.surprise("a maintainer found a defect: \(defect)") }
    }
}
