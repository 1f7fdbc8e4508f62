package import StreamsCore

/// What a world is made of: drawn from a seed, or written down for one purpose.
package struct Scenario: Sendable {
    /// What all else in the world is drawn from.
    package var seed: UInt64
    /// What goes wrong, and how often.
    package var faults: FaultProfile
    /// Where processes run; what dies at one is started there again.
    package var processCount = 2
    /// Clients that append.
    package var writerCount = 3
    /// Clients that read from the beginning on.
    package var readerCount = 2
    /// How many appends each writer makes.
    package var appendsPerWriter = 4
    /// Most messages of an append.
    package var batchMaximum = 3
    /// The log's own times.
    package var holeTimeout: Duration = .seconds(5)
    /// How long an append may try.
    package var appendTimeout: Duration = .seconds(10)
    /// For how many days the bucket keeps objects; `nil` for ever.
    package var retentionDays: Int?
    /// Most keys of a page of a list.
    package var pageMaximum = 1000
    /// How long a request takes, in microseconds.
    package var latency: ClosedRange<Int64> = 2_000...40_000
    /// How long clients think between two requests, in microseconds.
    package var thinking: ClosedRange<Int64> = 0...2_000_000
    /// For how many thousandths of their pauses clients are away for hours or days instead.
    package var absencePermille = 0
    /// For how many thousandths of their reads readers wait for a minute.
    package var patiencePermille = 100
    /// For how many thousandths of their reads readers begin at the first offset again.
    package var rereadPermille = 200

    /// How the maintainers work, one for each; none where it is empty.
    package var maintainers: [MaintenanceSettings] = []
    /// Whether processes keep segments in memory, as servers do.
    package var hasCaches = false
    /// How many changes of topics are made; 0 for worlds of one topic that stays as it is.
    package var changeCount = 0
    /// What the consumers of a group do; `nil` where there is none.
    package var groups: GroupPlan?
    /// What the writers ask for beside their messages.
    package var writing = Writing.plain

    /// How writers append.
    package enum Writing: Sendable {
        /// Messages, and nothing else.
        case plain
        /// Under idempotency keys, again and again.
        case keyed
        /// Where they have read up to.
        case contested
        /// One after the other as the topic's owner.
        case fenced
    }

    /// What happens, step by step, instead of clients that do as they like.
    package var story: Story?

    /// An empty plan for a seed.
    package init(seed: UInt64, faults: FaultProfile = FaultProfile()) {
        self.seed = seed
        self.faults = faults
    }

    /// A world drawn from a seed, of any climate or of a given one.
    package static func drawn(seed: UInt64, climate: Climate? = nil) -> Scenario {
        let choices = Choices(seed: seed ^ 0x5CE1_A210)
        var climate = climate ?? choices.one(of: Climate.everyday)
        if climate == .mixed { climate = choices.one(of: Climate.all) }
        var scenario = Scenario(seed: seed, faults: climate.faults(choices))
        scenario.processCount = 1 + choices.below(3)
        scenario.writerCount = 1 + choices.below(4)
        scenario.readerCount = 1 + choices.below(2)
        scenario.appendsPerWriter = 1 + choices.below(5)
        scenario.batchMaximum = 1 + choices.below(4)
        // Impatient readers close what writers are still at; short appends give up.
        scenario.holeTimeout = choices.one(of: [.zero, .milliseconds(20), .milliseconds(300), .seconds(5)])
        scenario.appendTimeout = choices.one(of: [.milliseconds(300), .seconds(3), .seconds(10)])
        scenario.pageMaximum = choices.one(of: [1, 2, 3, 1000])
        scenario.latency = choices.one(of: [1_000...3_000, 2_000...40_000, 5_000...600_000])
        if scenario.appendTimeout < .seconds(1) { scenario.latency = 1_000...40_000 }
        scenario.thinking = choices.one(of: [0...0, 0...300_000, 0...20_000_000])
        if scenario.isFaultless {
            // What nobody disturbs must succeed.
            (scenario.holeTimeout, scenario.appendTimeout) = (.seconds(5), .seconds(10))
        }
        if let stories = climate.stories {
            scenario.tell(choices.one(of: stories))
            return scenario
        }
        if climate == .merging || climate == .together { scenario.letMaintainersWork(choices) }
        if climate == .changing {
            scenario.changeCount = 3 + choices.below(12)
            scenario.absencePermille = choices.one(of: [0, 0, 100])
        }
        if climate == .grouped || climate == .together { scenario.gather(choices) }
        switch climate {
        case .keyed, .keyedExpiring: scenario.writing = .keyed
        case .contested: scenario.writing = .contested
        case .fenced: scenario.writing = .fenced
        case .together:
            scenario.writing = choices.one(of: [.plain, .keyed, .keyed, .contested, .fenced])
            scenario.changeCount = choices.one(of: [0, 3, 8])
        default: break
        }
        if climate == .fair { scenario.patiencePermille = 700 }
        if scenario.faults.has(.expiry) { scenario.retentionDays = choices.one(of: [1, 1, 2]) }
        if scenario.faults.has(.expiry) || scenario.faults.has(.lostItem) {
            scenario.absencePermille = choices.one(of: [100, 400])
        }
        return scenario
    }

    /// Whether anything happens that does not come with a request.
    var hasWeather: Bool {
        story == nil && (retentionDays != nil || changeCount > 0)
            || [.throttling, .freeze, .crash, .wrongClock, .lostItem].contains { faults.has($0) }
    }

    /// Whether nothing can go wrong in it.
    package var isFaultless: Bool { faults.permille.isEmpty }
}
