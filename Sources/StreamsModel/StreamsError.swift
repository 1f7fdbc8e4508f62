/// A failure with all that a client needs to go on: the one error type from the log to the wire and back.
public struct StreamsError: Error, Sendable, Equatable {
    /// What went wrong; the stable part that programs look at.
    public var code: ErrorCode
    /// A sentence that says what to change or what to do next.
    public var detail: String
    /// Numbers and names to go on with.
    public var context: Context

    /// What an error carries beside its sentence; each member is present where it helps.
    public struct Context: Sendable, Equatable {
        /// The first offset that can still be read.
        public var earliestOffset: Offset?
        /// The log end offset: the next offset to be given out.
        public var endOffset: Offset?
        /// The parameter, header or body member that was wrong.
        public var parameter: String?
        /// The byte position in the body where JSON ended to be JSON, from 0.
        public var position: Int?
        /// The limit that was exceeded, by its name in ``Limits``.
        public var limit: String?
        /// The value of that limit, in the limit's own unit.
        public var limitValue: Int?
        /// How long to wait before the next try.
        public var retryAfter: Duration?
        /// The methods that the path knows, for `method_not_allowed`.
        public var allow: [String]?
        /// When the lease that stands in the way ends.
        public var expiresAt: Timestamp?

        /// An empty context.
        public init() {}
    }

    /// Makes an error.
    ///
    /// `fill` sets what else the client should know.
    public init(_ code: ErrorCode, _ detail: String, _ fill: (inout Context) -> Void = { _ in }) {
        self.code = code
        self.detail = detail
        self.context = Context()
        fill(&self.context)
    }

    /// A parameter or body member that is wrong.
    public static func invalidParameter(_ parameter: String, _ detail: String) -> StreamsError {
        StreamsError(.invalidParameter, detail) { $0.parameter = parameter }
    }

    /// Something that is larger than a limit allows.
    public static func tooLarge(limit: String, value: Int, _ detail: String) -> StreamsError {
        StreamsError(.tooLarge, detail) {
            $0.limit = limit
            $0.limitValue = value
        }
    }
}

extension StreamsError: CustomStringConvertible {
    /// The code and the sentence.
    public var description: String { "\(code.rawValue): \(detail)" }
}

/// The error codes of the API.
///
/// Stable: a code is never renamed, and its meaning never changes. A code exists only where a caller would act differently on it.
public enum ErrorCode: String, Sendable, CaseIterable {
    /// The body is not JSON; `position` says where.
    case invalidJSON = "invalid_json"
    /// The topic's name breaks the rules for names.
    case invalidTopic = "invalid_topic"
    /// A parameter, header or body member is wrong, repeated, missing or unknown.
    case invalidParameter = "invalid_parameter"
    /// The request needs a body and has none.
    case bodyRequired = "body_required"
    /// The caller may not do this.
    case forbidden = "forbidden"
    /// There is no such path.
    case notFound = "not_found"
    /// There is no topic of that name.
    case topicNotFound = "topic_not_found"
    /// There is no consumer group of that name in the topic.
    case groupNotFound = "group_not_found"
    /// The path does not know this method.
    case methodNotAllowed = "method_not_allowed"
    /// None of the types in `Accept` can be given.
    case notAcceptable = "not_acceptable"
    /// The client was too slow in sending its request.
    case requestTimeout = "request_timeout"
    /// Another consumer of the group holds the lease until `expires_at`.
    case leaseHeld = "lease_held"
    /// The lease ended, or went to another consumer; nothing moved.
    case leaseLost = "lease_lost"
    /// There is a topic of that name already.
    case topicExists = "topic_exists"
    /// What was appended with that idempotency key is no longer kept; it is not written again.
    case idempotencyKeyExpired = "idempotency_key_expired"
    /// The messages from there on are no longer kept.
    case offsetTrimmed = "offset_trimmed"
    /// The topic does not end where the append expected it to; `end_offset` says where it does.
    case offsetMismatch = "offset_mismatch"
    /// The fencing token is not the topic's.
    case fenced = "fenced"
    /// A limit is exceeded; `limit` names it.
    case tooLarge = "too_large"
    /// The body is of a type that this path does not take.
    case unsupportedMediaType = "unsupported_media_type"
    /// The offset lies past the end of the topic.
    case offsetBeyondEnd = "offset_beyond_end"
    /// The idempotency key was used with another body.
    case idempotencyKeyReused = "idempotency_key_reused"
    /// The request is too much at present; later it may pass.
    case throttled = "throttled"
    /// A fault of ours.
    case `internal` = "internal"
    /// The service can not do this now; nothing was written.
    case unavailable = "unavailable"
    /// An append may or may not have been written.
    case outcomeUnknown = "outcome_unknown"
}
