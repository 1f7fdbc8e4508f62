package import StreamsCore
package import StreamsModel

/// A call of a storage port, as a plan of faults sees it.
package enum StoreCall: Sendable {
    /// `claim(_:)`.
    case claim(ClaimRequest)
    /// `release(_:)`.
    case release(Claim)
    /// `head(of:)`.
    case head(TopicName)
    /// `create(_:at:)`.
    case create(TopicName)
    /// `close(_:until:)`.
    case close(TopicName)
    /// `reopen(_:closedUntil:earliest:end:at:)`.
    case reopen(TopicName)
    /// `trim(_:createdAt:before:at:)`.
    case trim(TopicName)
    /// `delete(_:createdAt:at:)`.
    case delete(TopicName)
    /// `change(_:createdAt:to:)`.
    case change(TopicName)
    /// `createBranch(_:at:now:)`.
    case createBranch(TopicName)
    /// `moveLowMark(of:to:)`.
    case moveLowMark(TopicName)
    /// `produceRecord(of:in:)`.
    case produceRecord(IdempotencyKey)
    /// `setProduceRecord(_:of:in:replacing:)`.
    case setProduceRecord(ProduceRecord, replacing: ProduceRecord?)
    /// `deleteProduceRecords(expiredAt:limit:)`.
    case deleteProduceRecords
    /// `setFencingToken(_:of:if:)`.
    case setFencingToken(FencingToken?)
    /// `topics(prefix:after:limit:)`.
    case topics
    /// `group(_:)`.
    case group(GroupKey)
    /// `groups(of:after:limit:)`.
    case groups(TopicName)
    /// `store(_:replacing:)`.
    case storeGroup(Group)
    /// `commit(_:)`.
    case commit(CommitRequest)
    /// `put(_:signedAt:)`.
    case put(Segment)
    /// `get(_:)`.
    case get([SegmentKey])
    /// `list(_:from:limit:)`.
    case list(TopicName, from: Offset)

    /// The call without its arguments.
    package var name: String {
        switch self {
        case .claim: "claim"
        case .release: "release"
        case .head: "head"
        case .create: "create"
        case .close: "close"
        case .reopen: "reopen"
        case .trim: "trim"
        case .delete: "delete"
        case .change: "change"
        case .createBranch: "createBranch"
        case .moveLowMark: "moveLowMark"
        case .produceRecord: "produceRecord"
        case .setProduceRecord: "setProduceRecord"
        case .deleteProduceRecords: "deleteProduceRecords"
        case .setFencingToken: "setFencingToken"
        case .topics: "topics"
        case .group: "group"
        case .groups: "groups"
        case .storeGroup: "storeGroup"
        case .commit: "commit"
        case .put: "put"
        case .get: "get"
        case .list: "list"
        }
    }
}

/// What befalls one call.
package struct StoreFault: Sendable {
    /// Where the call waits before it takes effect.
    package var before: Gate?
    /// Whether it takes effect.
    package var isPerformed = true
    /// Whether a put takes effect later, when the test lets it.
    package var landsLate = false
    /// Whether a get finds nothing.
    package var isMissing = false
    /// Where the answer waits.
    package var after: Gate?
    /// What the caller gets instead of the answer.
    package var error: StoreError?

    /// Makes a fault of its parts.
    package init(
        before: Gate? = nil, isPerformed: Bool = true, landsLate: Bool = false, isMissing: Bool = false,
        after: Gate? = nil, error: StoreError? = nil
    ) {
        self.before = before
        self.isPerformed = isPerformed
        self.landsLate = landsLate
        self.isMissing = isMissing
        self.after = after
        self.error = error
    }

    /// Nothing goes wrong.
    package static let none = StoreFault()

    /// The call fails, and certainly nothing happened.
    package static func refused(_ code: StoreError.Code = .unavailable) -> StoreFault {
        StoreFault(isPerformed: false, error: StoreError(code, effect: .none, "refused by the test"))
    }

    /// The call never arrives, which its caller can not know.
    package static let lost = StoreFault(isPerformed: false, error: .lostAnswer)

    /// The call takes effect, and its answer is lost.
    package static let answerLost = StoreFault(error: .lostAnswer)

    /// The caller gets no answer; the put arrives when the test says so.
    package static let landingLate = StoreFault(isPerformed: false, landsLate: true, error: .lostAnswer)

    /// A get that finds nothing at its keys.
    package static let missing = StoreFault(isMissing: true)

    /// The call waits at a gate before it takes effect.
    package static func held(at gate: Gate) -> StoreFault { StoreFault(before: gate) }

    /// The call takes effect, and its answer waits at a gate.
    package static func answerHeld(at gate: Gate) -> StoreFault { StoreFault(after: gate) }

    /// The caller died: nothing happens, and no answer ever comes until its task is cancelled.
    package static var crashed: StoreFault { StoreFault(before: Gate(), isPerformed: false) }
}

extension StoreError {
    /// No answer came.
    package static let lostAnswer = StoreError(.unavailable, effect: .unknown, "answer lost by the test")
}
