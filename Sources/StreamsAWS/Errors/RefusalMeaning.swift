import StreamsCore

/// What AWS's error codes mean: from "Error responses" (Amazon S3 API Reference), "Error handling with DynamoDB" and
/// "Common errors".
enum RefusalMeaning {
    /// The kind of failure, and the code it is reported with.
    static func of(_ refusal: AWSRefusal) -> (kind: TryFailure.Kind, code: AWSError.Code) {
        if throttles.contains(refusal.code) || refusal.status == 429 { return (.throttled, .throttled) }
        if conflicts.contains(refusal.code) { return (.conflict, .unavailable) }
        if expiredCredentials.contains(refusal.code) { return (.expiredCredentials, .expiredCredentials) }
        if isClockSkew(refusal) { return (.clockSkew(isCorrected: false), .clockSkew) }
        if isMissingIndex(refusal) { return (.permanent, .noSuchIndex) }
        if let code = permanent[refusal.code] { return (.permanent, code) }
        let isServerFault = refusal.status >= 500 && refusal.status != 501
        if passing.contains(refusal.code) || isServerFault || !refusal.isReadable {
            return (.serverFault, .unavailable)
        }
        return (.permanent, .other(refusal.code))
    }

    /// Certainly nothing happened when AWS refused; a failure on its side tells nothing.
    static func effect(_ kind: TryFailure.Kind) -> StoreError.Effect {
        switch kind {
        case .connectionClosed, .timedOut, .serverFault, .cancelled: .unknown
        case .notConnected, .throttled, .conflict, .clockSkew, .expiredCredentials, .permanent: .none
        }
    }

    private static let throttles: Set<String> = [
        "ProvisionedThroughputExceededException", "ThrottlingException", "Throttling", "ThrottledException",
        "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "TooManyRequestsException",
        "TooManyRequests", "SlowDown", "BandwidthLimitExceeded", "LimitExceededException",
    ]

    private static let conflicts: Set<String> = [
        "ConditionalRequestConflict", "OperationAborted", "TransactionConflictException",
        "ReplicatedWriteConflictException",
    ]

    private static let expiredCredentials: Set<String> = [
        "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
    ]

    /// Refused with a 4xx status, and yet only of that moment.
    private static let passing: Set<String> = [
        "RequestTimeout", "RequestTimeoutException", "IncompleteBody", "PriorRequestNotComplete",
    ]

    private static let permanent: [String: AWSError.Code] = [
        "AccessDenied": .accessDenied, "AccessDeniedException": .accessDenied, "AllAccessDisabled": .accessDenied,
        "AccountProblem": .accessDenied, "OptInRequired": .accessDenied,
        "NoSuchBucket": .noSuchBucket, "InvalidBucketName": .noSuchBucket,
        "ResourceNotFoundException": .noSuchTable, "TableNotFoundException": .noSuchTable,
        "PermanentRedirect": .wrongRegion, "TemporaryRedirect": .wrongRegion,
        "AuthorizationHeaderMalformed": .wrongRegion, "IllegalLocationConstraintException": .wrongRegion,
        "InvalidAccessKeyId": .invalidCredentials, "InvalidClientTokenId": .invalidCredentials,
        "UnrecognizedClientException": .invalidCredentials, "InvalidToken": .invalidCredentials,
        "MissingAuthenticationToken": .invalidCredentials, "MissingAuthenticationTokenException": .invalidCredentials,
        "InvalidSignatureException": .invalidSignature, "SignatureDoesNotMatch": .invalidSignature,
        // Stores other than S3.
        "XMinioStorageFull": .outOfSpace, "InsufficientStorage": .outOfSpace, "QuotaExceeded": .outOfSpace,
        "XMinioAdminBucketQuotaExceeded": .outOfSpace, "HTTP507": .outOfSpace,
        "IncompleteSignature": .invalidSignature, "IncompleteSignatureException": .invalidSignature,
    ]

    /// DynamoDB has no code of its own for it.
    private static func isMissingIndex(_ refusal: AWSRefusal) -> Bool {
        refusal.code == "ValidationException" && refusal.message.contains("does not have the specified index")
    }

    /// DynamoDB has no code of its own for it: the message says that the signature expired or is not yet current.
    private static func isClockSkew(_ refusal: AWSRefusal) -> Bool {
        switch refusal.code {
        case "RequestTimeTooSkewed", "RequestInTheFuture", "RequestExpired": true
        case "InvalidSignatureException", "AuthFailure", "SignatureDoesNotMatch":
            refusal.message.hasPrefix("Signature expired") || refusal.message.hasPrefix("Signature not yet current")
        default: false
        }
    }
}
