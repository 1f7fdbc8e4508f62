import Simulation
import StreamsCore
import Testing

/// The simulation checked: each wrong variant of the protocol must be noticed, and soon.
@Suite("In simulated worlds, a log that", .serialized, .timeLimit(.minutes(15)))
struct MutantTests {
    /// Within so many worlds of its climate each mutant is caught.
    private static let worldMaximum = 2000

    @Test("follows a wrong variant of the protocol is caught", arguments: Mutant.allCases)
    func isCaught(mutant: Mutant) async throws {
        try #require(Mutant.areThere, "this build has no mutants: test a build for debugging")
        var campaign = Campaign(firstSeed: 1, worldMaximum: Self.worldMaximum, mutant: mutant)
        campaign.scenario = { .drawn(seed: $0, climate: mutant.climate) }
        let report = try await campaign.run()
        guard let failure = report.failures.first else {
            Issue.record("\(mutant.rawValue) survives \(report.worldCount) worlds")
            return
        }
        print("\(mutant.rawValue): caught by seed \(failure.seed) of climate \(mutant.climate.rawValue)")
        // And it is the mutant that is caught, not the world.
        let sound = try World.run(.drawn(seed: failure.seed, climate: mutant.climate))
        #expect(sound.violations == [])
    }

    @Test("is committed follows none of them")
    func noneIsCompiledIn() {
        #expect(Mutant.compiledIn == nil)
    }
}

extension Mutant {
    /// Where its harm is done most often.
    fileprivate var climate: Climate {
        switch self {
        case .missWakeUps: .fair
        case .commitUnderAnyGeneration, .handOutWithoutLease, .seekKeepsLease, .storeGroupsUnconditionally,
            .takeOverAtDelivered:
            .grouped
        case .waitIntoNextLife: .toldGrouped
        case .recordBeforeClaim, .recordAfterPut, .moveRecordUnconditionally, .absentIsFilled: .keyed
        case .writeAgainBelowLowMark: .keyedExpiring
        case .claimAnewWithoutCondition, .checkEndBeforeClaim: .contested
        case .checkTokenBeforeClaim, .fenceUnconditionally: .fenced
        case .signPutsWhenSent, .skipTrimmed, .retainADayTooMany: .expiring
        case .createOverMessages, .trustOldItems, .readersTrustItems: .forgetful
        case .listToOldEnd, .missingIsFilled, .settleUnseen, .mergeUnconditionally, .deleteUnconditionally,
            .deleteFromBelow, .deletePastMismatches, .mergeYoung, .trustCachedGaps, .deleteTrimmedAtOnce,
            .judgeGapsByOldHead:
            .toldMerging
        case .deleteResetsCounter, .deleteKeepsLowMark, .claimFromDeleted, .branchHolesEndAtFork,
            .branchIgnoresParentLowMark, .seekPastEqualTimes:
            .changing
        case .trimBackwards, .deleteWhateverStands: .told
        case .healAtOnce, .healBackwards, .healWithoutMark, .signFillersWhenSent: .told
        default: .rough
        }
    }
}
