import StreamsAWS
import StreamsModel

/// What happens to a world from outside.
extension World {
    /// Faults that come by themselves, and not with a request, until the calm.
    func weather() async {
        var backups: [DynamoDBItem?] = [nil]
        while !isCalm {
            let isLong = choices.happens(permille: scenario.absencePermille)
            // A world that has lasted for long does not change every second any more.
            let pause = max(3_000_000, scheduler.now / 50)
            await sleep(choices.microseconds(100_000...(isLong ? 21_600_000_000 : pause)))
            guard !isCalm else { return }
            if network.meets(.throttling) {
                network.throttle(
                    choices.one(of: Network.Service.allCases), microseconds: choices.microseconds(100_000...20_000_000))
            }
            if network.meets(.freeze) {
                choices.one(of: places).process?.freeze()
            }
            if network.meets(.crash) { choices.one(of: places).process?.crash("while nothing happens") }
            if let place = places.first(where: { _ in choices.happens(permille: 300) }),
                scenario.faults.has(.wrongClock)
            {
                place.process?.clock.set(offset: drawClockOffset())
            }
            if scenario.faults.has(.lostItem), choices.happens(permille: 300) {
                backups.append(dynamoDB.item(topic.rawValue))
            }
            if choices.happens(permille: scenario.faults.permille[.lostItem, default: 0]) {
                // Most harm is done while something is on its way.
                for _ in 0..<200 where network.writesInFlight == 0 { await sleep(20_000) }
                guard !isCalm else { return }
                loseItem(choices.one(of: backups))
            }
            if scenario.retentionDays != nil { expire(permille: 500) }
            if scenario.changeCount > 0, scenario.maintainers.isEmpty { sweep(permille: 500) }
        }
    }

    /// Loses the topic's item, or puts an older one in its place, whoever is at work meanwhile.
    ///
    /// What is promised: the newest claim in the backup is half an hour old (a quarter, and clocks that are wrong by as
    /// much), and something stands above it that tells that it is not the newest.
    private func loseItem(_ backup: DynamoDBItem?) {
        let key = topic.rawValue
        let end = backup?["current_offset"]?.integer ?? 0
        let claimedAt = backup?["claimed_at"]?.integer ?? 0
        let now = ProcessClock.trueTime(scheduler).milliseconds
        guard dynamoDB.item(key) != nil, s3.hasHighest, s3.highestOffset > end, claimedAt + 1_860_000 < now else {
            return
        }
        network.setBack(key, to: backup)
    }

    /// Deletes objects that are past retention, each with this probability.
    ///
    /// S3 rounds the time of expiry up to the next midnight of UTC (Amazon S3 user guide, "Lifecycle configuration
    /// elements").
    func expire(permille: Int) {
        guard let retentionDays = scenario.retentionDays else { return }
        // A lost item is to be recovered before what tells of it expires.
        guard let end = dynamoDB.item(topic.rawValue)?["current_offset"]?.integer, s3.highestOffset <= end else {
            return
        }
        let today = ProcessClock.trueTime(scheduler).milliseconds / 86_400_000
        for key in s3.keys {
            guard let object = s3.object(key), object.storedAt.milliseconds / 86_400_000 + Int64(retentionDays) < today,
                choices.happens(permille: permille)
            else { continue }
            network.counts.count(.expiry)
            trace.note { "the bucket deletes \(key)" }
            if scenario.faults.has(.lostItem) { recorder.forget(object, at: key) }
            s3.expire(key)
        }
    }
}
