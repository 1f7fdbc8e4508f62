import Crypto
package import StreamsModel

/// Signs requests with Signature Version 4, in the `Authorization` header.
///
/// A pure function of request, credentials and instant. AWS, "AWS Signature Version 4 for API requests"; for S3,
/// "Authenticating Requests: Using the Authorization Header".
package struct SignatureV4: Sendable {
    /// Who signs.
    package var credentials: AWSCredentials
    /// The region that the signature is valid in, such as `eu-central-1`.
    package var region: String
    /// The service's signing name, such as `s3` or `dynamodb`.
    package var service: String
    /// How the service canonicalises requests.
    package var rules: SigningRules
    private let keys: SigningKeys?

    /// Makes a signer; with `keys` it derives a key only once for many signatures.
    package init(
        credentials: AWSCredentials, region: String, service: String, rules: SigningRules, keys: SigningKeys? = nil
    ) {
        self.keys = keys
        self.credentials = credentials
        self.region = region
        self.service = service
        self.rules = rules
    }

    /// All headers of the request when it is signed at an instant: its own, and those that make up the signature.
    ///
    /// Every header given is signed, so that nobody on the way can take off a condition. `x-amz-date`,
    /// `x-amz-security-token` and, for S3, `x-amz-content-sha256` are added and signed too; the request must not have
    /// them yet.
    package func signedHeaders(for request: SigningRequest, at instant: Timestamp) -> [(name: String, value: String)] {
        let time = CivilTime(instant)
        var request = request
        request.headers.append(("x-amz-date", time.basicText))
        if rules == .s3 { request.headers.append(("x-amz-content-sha256", request.payload.hexadecimal)) }
        if let token = credentials.sessionToken { request.headers.append(("x-amz-security-token", token)) }
        let authorization = authorization(for: CanonicalRequest(request, rules: rules), at: time)
        return request.headers + [("authorization", authorization)]
    }

    private func authorization(for canonical: CanonicalRequest, at time: CivilTime) -> String {
        let scope = "\(time.basicDate)/\(region)/\(service)/aws4_request"
        let digest = Hexadecimal.text(SHA256.hash(data: Array(canonical.text.utf8)))
        let stringToSign = "AWS4-HMAC-SHA256\n\(time.basicText)\n\(scope)\n\(digest)"
        let signature = Hexadecimal.text(Self.code(stringToSign, key: signingKey(date: time.basicDate)))
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), "
            + "SignedHeaders=\(canonical.signedHeaders), Signature=\(signature)"
    }

    private func signingKey(date: String) -> SymmetricKey {
        let scope = SigningKeys.Scope(
            secretAccessKey: credentials.secretAccessKey, date: date, region: region, service: service)
        return keys?.key(of: scope) { derivedKey(date: date) } ?? derivedKey(date: date)
    }

    private func derivedKey(date: String) -> SymmetricKey {
        var key = SymmetricKey(data: Array(("AWS4" + credentials.secretAccessKey).utf8))
        for part in [date, region, service, "aws4_request"] {
            key = SymmetricKey(data: Self.code(part, key: key))
        }
        return key
    }

    private static func code(_ text: String, key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }
}
