import AWSSigning

/// The sentences for the operator about a refusal: what happened, and what to change.
enum RefusalMessage {
    /// What the message may name.
    struct Context {
        var call: AWSCall
        var region: String
        var credentials: AWSCredentials
    }

    static func text(_ refusal: AWSRefusal, code: AWSError.Code, _ context: Context) -> String {
        let call = context.call
        let said = "\(call.service.name) answered \(call.operation) on \(call.resource) with \(refusal.code)"
        return "\(said): \(advice(refusal, code: code, context))\(quotation(refusal, code: code, context))"
    }

    private static func advice(_ refusal: AWSRefusal, code: AWSError.Code, _ context: Context) -> String {
        let resource = context.call.resource
        switch code {
        case .throttled: return throttled(context)
        case .clockSkew: return "this machine's clock is wrong; set it, best by NTP."
        case .signedTooLongAgo: return "the time it carries is more than 15 minutes from the present."
        case .expiredCredentials:
            return "the access key \(key(context)) has expired, and no newer one is found where it came from. Renew it."
        case .invalidCredentials:
            return "AWS does not know the access key \(key(context)), or its session token does not belong to it. "
                + "Check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or the profile."
        case .invalidSignature:
            return "the signature does not match. Check that AWS_SECRET_ACCESS_KEY (or the profile) belongs to the "
                + "access key \(key(context))."
        case .accessDenied:
            return "the identity of the access key \(key(context)) must be allowed "
                + "\(context.call.permission) on \(resource)\(listPermission(context.call))."
        case .noSuchBucket, .noSuchTable:
            return "\(resource) does not exist in \(context.region). Create it, or correct \(resource.variable) "
                + "or AWS_REGION."
        case .noSuchIndex:
            return "listing topics needs the index '\(TopicItem.kindIndex)' of \(resource), with the partition key "
                + "'\(TopicItem.Attribute.kind)' and the sort key '\(TopicItem.Attribute.topic)', both strings, and "
                + "keys only. Create it, or correct \(resource.variable)."
        case .wrongRegion:
            guard let region = refusal.region, region != context.region else {
                return "\(resource) is not in \(context.region). Set AWS_REGION to its region."
            }
            return "\(resource) is in \(region), and this process uses \(context.region). Set AWS_REGION=\(region)."
        case .outOfSpace: return "\(resource) has no room left. Free some, or raise its quota."
        case .other("NotImplemented"):
            return "this store lacks something that S3 has, perhaps conditional writes. Use another store."
        case _ where !refusal.isReadable:
            return "that is not of \(context.call.service.name)'s form, so something on the way may have answered, "
                + "such as a proxy. Check AWS_ENDPOINT_URL and what stands in between."
        default:
            return refusal.status >= 500 ? "the service failed." : "the request was refused."
        }
    }

    /// S3 tells only those who may list the bucket that an object is missing ("GetObject", Amazon S3 API Reference).
    private static func listPermission(_ call: AWSCall) -> String {
        guard call.service == .s3, call.operation == "GetObject" || call.operation == "HeadObject" else { return "" }
        return ", and s3:ListBucket on the bucket itself, without which a missing object looks like a refused one"
    }

    private static func throttled(_ context: Context) -> String {
        switch context.call.service {
        case .s3: "too many requests for what S3 has scaled this prefix to; it goes by after a while."
        case .dynamoDB: "too many requests for the table's capacity. Use on-demand billing, or raise the capacity."
        }
    }

    /// What AWS says itself, except where it may repeat a secret.
    ///
    /// DynamoDB's message about a wrong signature holds the canonical request, with the session token.
    private static func quotation(_ refusal: AWSRefusal, code: AWSError.Code, _ context: Context) -> String {
        let secrets = [context.credentials.secretAccessKey, context.credentials.sessionToken ?? ""]
        guard code != .invalidSignature, !refusal.message.isEmpty,
            !secrets.contains(where: { !$0.isEmpty && refusal.message.contains($0) })
        else { return "" }
        return " AWS says: " + String(refusal.message.prefix(500))
    }

    private static func key(_ context: Context) -> String { context.credentials.accessKeyID }
}
