package import HTTPTypes
package import StreamsModel

/// The three questions that every wire code answers; a client's retry loop is built on these alone.
extension ErrorCode {
    /// The HTTP status that carries the code.
    package var status: HTTPResponse.Status {
        switch self {
        case .invalidJSON, .invalidTopic, .invalidParameter, .bodyRequired: .badRequest
        case .forbidden: .forbidden
        case .notFound, .topicNotFound, .groupNotFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notAcceptable: .notAcceptable
        case .requestTimeout: .requestTimeout
        case .leaseHeld, .leaseLost, .topicExists, .idempotencyKeyExpired: .conflict
        case .offsetTrimmed: .gone
        case .offsetMismatch, .fenced: .preconditionFailed
        case .tooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .offsetBeyondEnd: .rangeNotSatisfiable
        case .idempotencyKeyReused: .unprocessableContent
        case .throttled: .tooManyRequests
        case .internal: .internalServerError
        case .unavailable, .outcomeUnknown: .serviceUnavailable
        }
    }

    /// Whether the same request may succeed a little later.
    package var isRetryable: Bool {
        switch self {
        case .throttled, .unavailable, .outcomeUnknown, .internal, .requestTimeout: true
        case .invalidJSON, .invalidTopic, .invalidParameter, .bodyRequired, .forbidden, .notFound, .topicNotFound,
            .groupNotFound, .methodNotAllowed, .notAcceptable, .leaseHeld, .leaseLost, .topicExists,
            .idempotencyKeyExpired, .offsetTrimmed, .offsetMismatch, .fenced, .tooLarge, .unsupportedMediaType,
            .offsetBeyondEnd, .idempotencyKeyReused:
            false
        }
    }

    /// Whether the request certainly changed nothing.
    package var hasCertainlyNoSideEffects: Bool {
        switch self {
        case .outcomeUnknown, .internal: false
        case .invalidJSON, .invalidTopic, .invalidParameter, .bodyRequired, .forbidden, .notFound, .topicNotFound,
            .groupNotFound, .methodNotAllowed, .notAcceptable, .requestTimeout, .leaseHeld, .leaseLost, .topicExists,
            .idempotencyKeyExpired, .offsetTrimmed, .offsetMismatch, .fenced, .tooLarge, .unsupportedMediaType,
            .offsetBeyondEnd, .idempotencyKeyReused, .throttled, .unavailable:
            true
        }
    }
}
