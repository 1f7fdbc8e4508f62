package import StreamsCore

/// A call to AWS that failed, with what the operator can do about it.
package struct AWSError: Error, Sendable {
    /// What went wrong, as far as a caller or an operator would act differently.
    package enum Code: Sendable, Equatable {
        /// AWS asks to slow down, and did so until the call's time or the retry budget was used up.
        case throttled
        /// No answer, or answers that only tell of a failure on AWS's side.
        case unavailable
        /// The calling task was cancelled.
        case cancelled
        /// This machine's clock is wrong, and AWS's answers did not help to correct it.
        case clockSkew
        /// A request that was to carry an earlier time came after AWS takes signatures of that time: certainly nothing
        /// was written by this try, and nothing signed at that time will be any more.
        case signedTooLongAgo
        /// There are no credentials in any of the places that are looked at.
        case noCredentials
        /// The credentials have expired, and newer ones were not to be had.
        case expiredCredentials
        /// AWS does not know the access key or the session token.
        case invalidCredentials
        /// The signature does not match: nearly always a wrong secret access key.
        case invalidSignature
        /// The credentials are fine, and must not do this.
        case accessDenied
        /// The bucket does not exist.
        case noSuchBucket
        /// The table does not exist in this region.
        case noSuchTable
        /// The table lacks the index that a query names.
        case noSuchIndex
        /// The bucket or the endpoint is in another region.
        case wrongRegion
        /// No region is set, and none could be found out.
        case noRegion
        /// A setting is not of the form it must have.
        case badSetting
        /// The store has no room left, or a quota is used up; S3 itself never says so.
        case outOfSpace
        /// The answer is not what AWS's documents say.
        case unexpectedAnswer
        /// Any other refusal, by AWS's own code.
        case other(String)
    }

    /// What went wrong.
    package var code: Code
    /// What may have happened in spite of it: unknown as soon as the outcome of any try is unknown.
    package var effect: StoreError.Effect
    /// Sentences for the operator: what happened and what to change.
    ///
    /// Never holds credentials.
    package var message: String
    /// AWS's id of the last request, which its support asks for.
    package var requestID: String?

    /// Makes an error.
    package init(_ code: Code, effect: StoreError.Effect = .none, _ message: String, requestID: String? = nil) {
        self.code = code
        self.effect = effect
        self.message = message
        self.requestID = requestID
    }
}

extension AWSError: CustomStringConvertible {
    /// The message, with AWS's request id where there is one.
    package var description: String {
        guard let requestID else { return message }
        return "\(message) (AWS request id \(requestID))"
    }
}

extension AWSError {
    /// The error as the storage ports report it.
    ///
    /// Never worth retrying: the call has made all the tries that its time, the budget and the failure allow.
    package var storeError: StoreError {
        var error = StoreError(storeCode, effect: effect, description)
        error.isWorthRetrying = false
        return error
    }

    private var storeCode: StoreError.Code {
        switch code {
        case .throttled, .unavailable, .cancelled, .expiredCredentials, .clockSkew: .unavailable
        case .signedTooLongAgo: .signedTooLongAgo
        case .noCredentials, .invalidCredentials, .invalidSignature, .accessDenied, .noSuchBucket, .noSuchTable,
            .noSuchIndex, .wrongRegion, .noRegion, .badSetting, .other:
            .misconfigured
        case .outOfSpace: .outOfSpace
        case .unexpectedAnswer: .corrupt
        }
    }
}
