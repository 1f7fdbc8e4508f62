/// A wrong variant of the log protocol, which a test switches on to see that the others would notice it.
///
/// Each looks fine and breaks a promise; `docs/correctness.md` has the harm of each as a short story. They are compiled
/// into builds for debugging only: everywhere else ``isActive`` is `false`, and its branches are gone.
package enum Mutant: String, CaseIterable, Sendable {
    // Append.
    /// Acknowledges whatever became of the write.
    case acknowledgeUnwritten
    /// Writes without the condition that nothing stands at the key.
    case putUnconditionally
    /// Takes a new claim after a write whose outcome is not known.
    case claimAnewAfterUnknown
    /// Takes a new claim when the key is taken, by whomever.
    case takenIsFilled
    /// Takes whatever stands at the key for its own.
    case takenIsStored
    /// Signs a write with the time at which it is sent, however late that is.
    case signPutsWhenSent
    /// Says that nothing was written where nobody knows.
    case unknownIsRefused
    /// Writes the first request of a batch, and acknowledges all of them.
    case acknowledgeBatchInPart

    // Idempotency keys.
    /// Writes down where a batch will be before its claim is taken.
    case recordBeforeClaim
    /// Writes down where a batch is only when it is there.
    case recordAfterPut
    /// Moves a record without the condition that it is the one that was seen.
    case moveRecordUnconditionally
    /// Takes a recorded batch that is not there yet for one that never will be.
    case absentIsFilled
    /// Writes a recorded batch again that may have expired.
    case writeAgainBelowLowMark

    // Conditions, fencing.
    /// Takes another claim, without the condition, when readers have closed the first one.
    case claimAnewWithoutCondition
    /// Looks where the topic ends, and claims afterwards.
    case checkEndBeforeClaim
    /// Looks at the fencing token, and claims afterwards.
    case checkTokenBeforeClaim
    /// Sets a token whatever happened since it looked.
    case fenceUnconditionally

    // Read.
    /// Goes on behind a hole.
    case readPastHoles
    /// Jumps over what is trimmed without a word.
    case skipTrimmed
    /// Lets a reader wait although the topic has grown since it looked.
    case missWakeUps

    // Holes.
    /// Closes a hole from its lowest offset up.
    case fillBottomUp
    /// Closes a whole hole by one filler, whatever claims are in it.
    case fillWhole
    /// Takes the newest claim's start from an earlier read of the item than the end.
    case claimStartFromEarlierRead
    /// Signs fillers with the time at which they are sent.
    case signFillersWhenSent
    /// Takes a gap below the first stored segment for trimmed.
    case judgeGapsByFirstSegment

    // Compaction.
    /// Looks at the keys of a topic only up to its end, as it was when the read began.
    case listToOldEnd
    /// Takes a claim for given up whose key holds nothing any more.
    case missingIsFilled
    /// Closes a claim that is too old to be written without a look at what covers it.
    case settleUnseen
    /// Writes what was merged over whatever stands at the key.
    case mergeUnconditionally
    /// Deletes what was merged whatever it is by now.
    case deleteUnconditionally
    /// Deletes what was merged from the lowest key up.
    case deleteFromBelow
    /// Goes on deleting below a segment that is another one by now.
    case deletePastMismatches
    /// Merges what was claimed a moment ago.
    case mergeYoung
    /// Does not look at the store itself before it takes a gap behind a cached segment for one.
    case trustCachedGaps

    // Consumer groups.
    /// Commits for whoever asks, under whichever generation.
    case commitUnderAnyGeneration
    /// Hands messages out although the write that takes the lease found another state.
    case handOutWithoutLease
    /// Lets a seek leave lease and generation as they are.
    case seekKeepsLease
    /// Writes a group's state over whatever stands.
    case storeGroupsUnconditionally
    /// Lets a new lease begin after what the one before was handed, and not at what is committed.
    case takeOverAtDelivered
    /// Hands what came while a consumer waited to it, though the topic was deleted and made again meanwhile.
    case waitIntoNextLife

    // Retention.
    /// Deletes at once what is trimmed.
    case deleteTrimmedAtOnce
    /// Does not read the low mark again when a gap shows.
    case judgeGapsByOldHead
    /// Counts one day more as retained than the bucket keeps.
    case retainADayTooMany

    // Trim, delete, branches.
    /// Sets the low mark of a trim whatever it was before.
    case trimBackwards
    /// Begins at the first offset again after a topic was deleted.
    case deleteResetsCounter
    /// Leaves the low mark of a deleted topic where it was.
    case deleteKeepsLowMark
    /// Deletes whatever topic of the name stands when the request arrives.
    case deleteWhateverStands
    /// Takes claims from a deleted topic as from any other.
    case claimFromDeleted
    /// Ends a hole below a branch's fork at the fork.
    case branchHolesEndAtFork
    /// Reads below a branch's fork whatever became of the parent meanwhile.
    case branchIgnoresParentLowMark
    /// Takes what was appended at the very time that a reader asks for as older.
    case seekPastEqualTimes

    // A counter that went backwards.
    /// Creates a topic's item without looking for messages.
    case createOverMessages
    /// Claims from an item however old it is.
    case trustOldItems
    /// Opens a topic at once, while older writes may still land.
    case healAtOnce
    /// Opens a topic without the condition that nobody did so before, and sets its counter back.
    case healBackwards
    /// Forgets that what is stored above an item from a backup may be of today.
    case healWithoutMark
    /// Lets readers believe that a topic without an item, or below its end, is empty.
    case readersTrustItems
}

extension Mutant {
    /// The one that a whole build is broken by, to see that its tests fail; `nil` in what is committed.
    package static let compiledIn: Mutant? = nil

    #if MUTANTS
        /// The one that is active for the task at hand.
        @TaskLocal package static var active: Mutant? = compiledIn

        /// Whether the code is to behave in this wrong way.
        package var isActive: Bool { Mutant.active == self }
    #else
        /// Whether the code is to behave in this wrong way: never.
        @inlinable package var isActive: Bool { false }
    #endif
}
