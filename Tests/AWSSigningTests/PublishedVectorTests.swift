import AWSSigning
import StreamsModel
import Testing

/// The examples in AWS's own documents.
@Suite("Signatures published by AWS")
struct PublishedVectorTests {
    /// Amazon S3 API Reference, "Signature Calculations for the Authorization Header", examples.
    struct S3Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var method: String
        var path: String
        var query = ""
        var headers: [(name: String, value: String)] = []
        var body = ""
        var signature: String
    }

    static let s3Examples = [
        S3Example(
            testDescription: "GET Object", method: "GET", path: "/test.txt", headers: [("Range", "bytes=0-9")],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        S3Example(
            testDescription: "PUT Object", method: "PUT", path: URIEncoding.path("/test$file.text"),
            headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
            body: "Welcome to Amazon S3.",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        S3Example(
            testDescription: "GET Bucket Lifecycle", method: "GET", path: "/", query: "lifecycle",
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        S3Example(
            testDescription: "Get Bucket (List Objects)", method: "GET", path: "/", query: "max-keys=2&prefix=J",
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    @Test("S3's examples are signed as S3 documents it", arguments: s3Examples)
    func s3(_ example: S3Example) throws {
        let signer = SignatureV4(
            credentials: AWSCredentials(
                accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                sessionToken: nil),
            region: "us-east-1", service: "s3", rules: .s3)
        let request = SigningRequest(
            method: example.method, path: example.path, query: example.query,
            headers: [("Host", "examplebucket.s3.amazonaws.com")] + example.headers,
            payload: PayloadDigest(of: Array(example.body.utf8)))
        #expect(try signature(signer.signedHeaders(for: request, at: may2013)) == example.signature)
    }

    /// The AWS Signature Version 4 test suite: requests of the service `service` on 2015-08-30.
    @Test(
        "the general test suite's requests are signed as it says",
        arguments: [
            ("GET", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "GET", "Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
            ),
            ("POST", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ])
    func general(method: String, query: String, expected: String) throws {
        let request = SigningRequest(
            method: method, path: "/", query: query, headers: [("Host", "example.amazonaws.com")], payload: .empty)
        #expect(try signature(suiteSigner.signedHeaders(for: request, at: august2015)) == expected)
    }

    @Test(
        "general paths are normalised before they are signed",
        arguments: ["//", "/./", "/example/..", "/a/../b/..", "/../"])
    func normalised(path: String) throws {
        let request = { (path: String) in
            SigningRequest(
                method: "GET", path: path, query: "", headers: [("host", "example.amazonaws.com")], payload: .empty)
        }
        #expect(
            try signature(suiteSigner.signedHeaders(for: request(path), at: august2015))
                == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")
    }

    @Test("S3's paths are signed as they are: two keys that differ in slashes or dots have two signatures")
    func notNormalised() throws {
        var signer = suiteSigner
        signer.rules = .s3
        let signatures = try ["/x/y", "/x//y", "/x/./y", "/x/z/../y", "/x/y/"].map { path in
            let request = SigningRequest(
                method: "GET", path: path, query: "", headers: [("host", "example.amazonaws.com")], payload: .empty)
            return try signature(signer.signedHeaders(for: request, at: august2015))
        }
        #expect(Set(signatures).count == signatures.count)
    }

    private let may2013 = Timestamp(milliseconds: 1_369_353_600_000)
    private let august2015 = Timestamp(milliseconds: 1_440_938_160_999)
    private let suiteSigner = SignatureV4(
        credentials: AWSCredentials(
            accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", sessionToken: ""),
        region: "us-east-1", service: "service", rules: .general)

    private func signature(_ headers: [(name: String, value: String)]) throws -> String {
        let authorization = try #require(headers.first { $0.name == "authorization" }?.value)
        return try #require(authorization.split(separator: "=").last.map(String.init))
    }
}
