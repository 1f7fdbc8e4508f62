import AWSSigning
import FoundationEssentials
import StreamsModel

/// Signs a request that is given in parts, which are not encoded.
struct Signing {
    private let request: ProbeRequest

    init(_ request: ProbeRequest) {
        self.request = request
    }

    /// The encoded path and query, and all headers.
    func answer() throws -> ProbeAnswer {
        let credentials = AWSCredentials(
            accessKeyID: request.accessKeyID ?? "", secretAccessKey: request.secretAccessKey ?? "",
            sessionToken: request.sessionToken)
        let signer = SignatureV4(
            credentials: credentials, region: request.region ?? "", service: request.service ?? "",
            rules: request.service == "s3" ? .s3 : .general)
        let signing = SigningRequest(
            method: request.method ?? "GET", path: URIEncoding.path(request.path ?? "/"),
            query: URIEncoding.query(pairs(request.query)), headers: pairs(request.headers),
            payload: PayloadDigest(of: Array(request.body ?? Data())))
        var answer = ProbeAnswer()
        answer.path = signing.path
        answer.query = signing.query
        answer.headers = signer.signedHeaders(for: signing, at: Timestamp(milliseconds: request.at ?? 0))
            .map { [$0.name, $0.value] }
        return answer
    }

    private func pairs(_ lists: [[String]]?) -> [(name: String, value: String)] {
        (lists ?? []).compactMap { $0.count == 2 ? (name: $0[0], value: $0[1]) : nil }
    }
}
