import AWSSigning
import NIOHTTP1
import StreamsModel

/// Turns a call into a signed request.
struct RequestBuilder {
    let configuration: AWSConfiguration
    let region: String
    let keys: SigningKeys
    /// Whether to sign, or only to say when.
    let signs: Bool

    func request(for call: AWSCall, credentials: AWSCredentials, signedAt: Timestamp) -> AWSTransportRequest {
        let target = target(of: call)
        let signer = SignatureV4(
            credentials: credentials, region: region, service: call.service.signingName, rules: call.service.rules,
            keys: keys)
        let signing = SigningRequest(
            method: call.method.rawValue, path: target.path, query: call.query,
            headers: [("host", target.authority)] + call.headers, payload: call.payload)
        var headers =
            signs
            ? signer.signedHeaders(for: signing, at: signedAt)
            : signing.headers + [("x-amz-date", CivilTime(signedAt).basicText)]
        headers.append(("user-agent", "serverless-streams"))
        let query = call.query.isEmpty ? "" : "?" + call.query
        return AWSTransportRequest(
            method: call.method, url: "\(target.scheme)://\(target.authority)\(target.path)\(query)", headers: headers,
            body: call.body)
    }

    /// Where the request goes: the bucket in front of the host, or as the first part of the path.
    private func target(of call: AWSCall) -> (scheme: String, authority: String, path: String) {
        let endpoint = configuration.endpoint(of: call.service, region: region)
        guard call.service == .s3 else {
            return (endpoint.scheme, endpoint.authority, endpoint.pathPrefix + "/")
        }
        let bucket = call.resource.name
        let keyPath = call.key.map { "/" + URIEncoding.path($0) } ?? ""
        // A bucket with dots would need a certificate for its own number of labels; virtual hosts have one label.
        guard configuration.usesPathStyle || bucket.contains(".") else {
            return (
                endpoint.scheme, "\(bucket).\(endpoint.authority)",
                endpoint.pathPrefix + (keyPath.isEmpty ? "/" : keyPath)
            )
        }
        return (
            endpoint.scheme, endpoint.authority, "\(endpoint.pathPrefix)/\(URIEncoding.component(bucket))\(keyPath)"
        )
    }
}
