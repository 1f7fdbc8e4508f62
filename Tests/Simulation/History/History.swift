/// What the clients of a world saw: every operation with its time and its answer, and nothing else.
///
/// Times are true times in microseconds since the world began. Messages are numbered, each number is sent once.
package struct History: Sendable {
    /// How an append went, as its caller knows.
    package enum Outcome: Sendable, Equatable {
        /// It is there, at these offsets.
        case acknowledged(Range<Int64>)
        /// It is certainly not there.
        case refused
        /// It may be there: the caller was told so, or died.
        case unknown
    }

    /// One append.
    package struct Append: Sendable {
        /// Who.
        package var client: String
        /// When it began.
        package var begin: Int64
        /// When the answer was there.
        package var end: Int64
        /// The numbers of its messages.
        package var messages: [Int]
        /// The answer.
        package var outcome: Outcome
        /// What it asked for beside its messages.
        package var wish = Wish()
        /// Whether it was told that what its key stands for is gone.
        package var isToldGone = false
    }

    /// What an append asks for beside its messages.
    package struct Wish: Sendable, Equatable {
        /// By what it is known when it comes again.
        package var key: String?
        /// Which offset its first message must get.
        package var expected: Int64?
        /// The token that must be the topic's.
        package var token: String?

        /// Makes a wish; none where nothing is given.
        package init(key: String? = nil, expected: Int64? = nil, token: String? = nil) {
            self.key = key
            self.expected = expected
            self.token = token
        }
    }

    /// A token that was set, or perhaps was.
    package struct Fence: Sendable {
        /// The token.
        package var token: String
        /// When it was asked for.
        package var begin: Int64
        /// When the answer was there.
        package var end: Int64
        /// The end of the topic that was told with success; `nil` where nobody knows whether it was set.
        package var topicEnd: Int64?
    }

    /// One message as a reader got it.
    package struct Message: Sendable, Equatable {
        /// Its place.
        package var offset: Int64
        /// Its number.
        package var number: Int
        /// When it was appended, as it says itself, in milliseconds since 1970; `nil` where nobody looked.
        package var timestamp: Int64?
    }

    /// One successful read.
    package struct Read: Sendable {
        /// Who.
        package var client: String
        /// The process that answered.
        package var process: String
        /// When it began.
        package var begin: Int64
        /// When the answer was there.
        package var end: Int64
        /// Where it began to read.
        package var from: Int64
        /// Where to go on.
        package var next: Int64
        /// The end of the topic that it told.
        package var topicEnd: Int64
        /// How long it was to wait for a first message.
        package var wait: Int64
        /// What it got.
        package var messages: [Message]
        /// The time that it asked for instead of an offset, in milliseconds since 1970; it then began at its first
        /// message.
        package var since: Int64?
    }

    /// A read that was told that messages are gone (`earliest`), or not there yet (`end`).
    package struct Refusal: Sendable {
        /// Who.
        package var client: String
        /// When it began.
        package var begin: Int64
        /// When the answer was there.
        package var end: Int64
        /// Where it was to read.
        package var from: Int64
        /// The first offset that is said to be kept.
        package var earliest: Int64?
        /// The end that is said to be the topic's.
        package var topicEnd: Int64?
    }

    /// A trim, or a delete, that was acknowledged, or whose outcome is unknown.
    package struct Cut: Sendable {
        /// When it began.
        package var begin: Int64
        /// When the answer was there; `.max` where it is unknown.
        package var end: Int64
        /// Offsets below may be gone; of a delete all that were given out, whose number is not known.
        package var before: Int64
        /// Whether it is a delete.
        package var isDelete: Bool
        /// How old messages must be to be gone, in microseconds, where a topic's own setting lets them go.
        package var age: Int64?
    }

    /// Where a branch left its parent.
    package struct BranchPoint: Sendable {
        /// The parent's name.
        package var parent: String
        /// The first offset of its own.
        package var fork: Int64
    }

    /// Something that must not happen at all, in words.
    package struct Surprise: Sendable {
        /// When.
        package var at: Int64
        /// What.
        package var text: String
    }

    /// The appends, in order of their ends.
    package var appends: [Append] = []
    /// The tokens that were set.
    package var fences: [Fence] = []
    /// The reads, in order of their ends.
    package var reads: [Read] = []
    /// The reads that were refused.
    package var refusals: [Refusal] = []
    /// The trims and the deletes.
    package var cuts: [Cut] = []
    /// Where the topic left its parent, where it is a branch.
    package var branch: BranchPoint?
    /// What the consumers of a group did, in order of their ends.
    package var groupEvents: [GroupEvent] = []
    /// Whether a last consumer of the group got to the end.
    package var groupIsFinished = false
    /// Whether somebody set the group to another place than the earliest message, or tried to.
    package var groupMayJump = false
    /// What must not happen.
    package var surprises: [Surprise] = []
    /// Whether the topic's item was lost or set back: the end that readers are told may then be an old one for a while.
    package var wasItemLost = false
    /// Offsets whose objects the bucket deleted by age, in a world where the topic's item was lost: nothing can tell
    /// any more that something was there.
    package var forgotten: Set<Int64> = []
    /// Below this offset everything was let go by an explicit trim.
    package var trimmedBefore: Int64 = 1
    /// Whether nothing in the world keeps a waiting reader from hearing soon of a message.
    package var expectsWakeUps = false
    /// How long messages are kept at least, in microseconds; `nil` for ever.
    package var retention: Int64?

    /// An empty history.
    package init() {}

    /// How many operations it holds.
    package var operationCount: Int { appends.count + reads.count + refusals.count + groupEvents.count }
}

/// A promise that was broken.
package struct Violation: Sendable, Equatable, CustomStringConvertible {
    /// The promises, as `docs/protocol.md` counts them under "What must hold, always", and what follows from them.
    package enum Promise: String, Sendable, CaseIterable {
        /// 1: acknowledged messages are read.
        case durable
        /// 2: an offset means one thing for all readers and for ever.
        case agreed
        /// 2: batches are whole.
        case whole
        /// 3: offsets follow the order in time.
        case ordered
        /// 4: a message is there once.
        case once
        /// 5: readers get through, and appends go on.
        case live
        /// A group is one consumer's at a time, its committed offset never goes back, and it misses nothing.
        case grouped
        /// An error tells the truth.
        case truthful
        /// What is said to be gone is older than the retention.
        case kept
        /// What was appended on a condition stands where the condition held.
        case conditional
    }

    /// Which promise.
    package var promise: Promise
    /// What was seen.
    package var text: String

    /// Makes a violation.
    package init(_ promise: Promise, _ text: String) {
        self.promise = promise
        self.text = text
    }

    package var description: String { "\(promise.rawValue): \(text)" }
}
