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

    // Retention.
    /// Counts one day more as retained than the bucket keeps.
    case retainADayTooMany

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
