import StreamsCore

/// How one try of a call failed, and what that means for the next.
struct TryFailure: Sendable {
    /// What a retry has to do.
    enum Kind: Sendable, Equatable {
        /// Nothing was sent: there was no connection to be had.
        case notConnected
        /// The connection broke before the whole answer was there.
        case connectionClosed
        /// No whole answer in the time of a try.
        case timedOut
        /// AWS asks for fewer requests.
        case throttled
        /// AWS's side failed.
        case serverFault
        /// Another conditional write of the same key is being decided.
        case conflict
        /// The request was signed with a wrong time; worth another try when the clock has been corrected meanwhile.
        case clockSkew(isCorrected: Bool)
        /// The credentials have expired.
        case expiredCredentials
        /// The calling task was cancelled.
        case cancelled
        /// Another try would fail the same way.
        case permanent
    }

    /// What a retry has to do.
    var kind: Kind
    /// What this one try may have done.
    var effect: StoreError.Effect
    /// What to report when this was the last try.
    var code: AWSError.Code
    /// The sentences of the report.
    var message: String
    /// AWS's id of the request.
    var requestID: String?
}
