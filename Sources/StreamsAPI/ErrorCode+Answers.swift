package import HTTPTypes
package import StreamsModel

/// The three questions that every wire code answers; a client's retry loop is built on these alone.
extension ErrorCode {
    /// The HTTP status that carries the code.
    package var status: HTTPResponse.Status {
        switch self {
        case .invalidJSON, .invalidTopic, .invalidParameter, .bodyRequired: .badRequest
        case .forbidden: .forbidden
        case .notFound, .topicNotFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .notAcceptable: .notAcceptable
        case .requestTimeout: .requestTimeout
        case .offsetTrimmed: .gone
        case .tooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .offsetBeyondEnd: .rangeNotSatisfiable
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
            .methodNotAllowed, .notAcceptable, .offsetTrimmed, .tooLarge, .unsupportedMediaType, .offsetBeyondEnd:
            false
        }
    }

    /// Whether the request certainly changed nothing.
    package var hasCertainlyNoSideEffects: Bool {
        switch self {
        case .outcomeUnknown, .internal: false
        case .invalidJSON, .invalidTopic, .invalidParameter, .bodyRequired, .forbidden, .notFound, .topicNotFound,
            .methodNotAllowed, .notAcceptable, .requestTimeout, .offsetTrimmed, .tooLarge, .unsupportedMediaType,
            .offsetBeyondEnd, .throttled, .unavailable:
            true
        }
    }
}
