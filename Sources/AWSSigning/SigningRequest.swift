/// What a signature covers: the parts of a request, exactly as they go over the wire.
package struct SigningRequest: Sendable {
    /// The method, such as `PUT`.
    package var method: String
    /// The path, percent-encoded, from the first slash to the question mark.
    package var path: String
    /// The query, percent-encoded, without the question mark; empty where there is none.
    package var query: String
    /// The headers to sign, `host` among them.
    ///
    /// Those that are added later are not covered.
    package var headers: [(name: String, value: String)]
    /// The digest of the body.
    package var payload: PayloadDigest

    /// Makes a request.
    package init(
        method: String, path: String, query: String, headers: [(name: String, value: String)], payload: PayloadDigest
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.payload = payload
    }
}

/// How a service canonicalises a request.
package enum SigningRules: Sendable {
    /// S3: the path is encoded once and never normalised, and `x-amz-content-sha256` is sent.
    case s3
    /// All others, DynamoDB among them: the path is normalised (RFC 3986) and encoded once more.
    case general
}
