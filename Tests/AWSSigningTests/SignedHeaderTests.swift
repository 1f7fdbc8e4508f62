import AWSSigning
import StreamsModel
import Testing

@Suite("Signed headers")
struct SignedHeaderTests {
    @Test("a session token is sent and signed, an empty one is not there at all")
    func token() throws {
        let with = headers(token: "token+/=")
        #expect(with["x-amz-security-token"] == "token+/=")
        #expect(try #require(with["authorization"]).contains(";x-amz-security-token,"))
        for token in ["", nil] {
            let without = headers(token: token)
            #expect(without["x-amz-security-token"] == nil)
            #expect(try !#require(without["authorization"]).contains("token"))
        }
    }

    @Test("every header that is given is signed, in order of the names in lower case")
    func names() throws {
        let headers = headers(
            token: nil, extra: [("X-Amz-Meta-B", "2"), ("If-None-Match", "*"), ("x-amz-meta-a", "1")])
        #expect(
            try #require(headers["authorization"]).contains(
                "SignedHeaders=host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-meta-a;x-amz-meta-b,"))
    }

    @Test("white space around and within values does not count, as services trim it")
    func whiteSpace() {
        let plain = headers(token: nil, extra: [("x-amz-meta-a", "two words")])
        let spaced = headers(token: nil, extra: [("x-amz-meta-a", "  two \t words ")])
        #expect(plain["authorization"] == spaced["authorization"])
    }

    @Test("the payload's digest is in the request to S3, and no other service's")
    func payload() {
        #expect(headers(token: nil)["x-amz-content-sha256"] == PayloadDigest.empty.hexadecimal)
        #expect(headers(token: nil, rules: .general)["x-amz-content-sha256"] == nil)
        #expect(
            PayloadDigest.empty.hexadecimal == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test("neither the secret nor the token is in what is printed of credentials")
    func printing() {
        let credentials = AWSCredentials(
            accessKeyID: "AKID", secretAccessKey: "very-secret", sessionToken: "very-token")
        var dumped = ""
        dump([credentials], to: &dumped)
        let signer = SignatureV4(credentials: credentials, region: "r", service: "s", rules: .s3)
        let texts = [
            "\(credentials)", String(reflecting: credentials), "\(Optional(credentials) as Any)", dumped, "\(signer)",
            String(reflecting: signer), "\(["a": credentials])",
        ]
        for text in texts {
            #expect(!text.contains("very-"), "\(text)")
            #expect(text.contains("AKID"))
        }
    }

    private func headers(
        token: String?, extra: [(name: String, value: String)] = [], rules: SigningRules = .s3
    ) -> [String: String] {
        let credentials = AWSCredentials(accessKeyID: "AKID", secretAccessKey: "secret", sessionToken: token)
        let signer = SignatureV4(credentials: credentials, region: "us-east-1", service: "s3", rules: rules)
        let request = SigningRequest(
            method: "GET", path: "/k", query: "", headers: [("host", "example.com")] + extra, payload: .empty)
        let signed = signer.signedHeaders(for: request, at: Timestamp(milliseconds: 0))
        return Dictionary(signed.map { ($0.name, $0.value) }) { first, _ in first }
    }
}

@Suite("Times in UTC")
struct CivilTimeTests {
    @Test(
        "known instants have their known dates",
        arguments: [
            (0, "19700101T000000Z"), (951_782_399_999, "20000228T235959Z"), (951_782_400_000, "20000229T000000Z"),
            (1_440_938_160_000, "20150830T123600Z"), (4_107_542_399_000, "21000228T235959Z"),
            (4_107_542_400_000, "21000301T000000Z"), (-1, "19691231T235959Z"), (Int64.max, "99991231T235959Z"),
            (Int64.min, "00000101T000000Z"),
        ] as [(Int64, String)])
    func known(milliseconds: Int64, text: String) {
        #expect(CivilTime(Timestamp(milliseconds: milliseconds)).basicText == text)
    }

    @Test("a date leads back to the day it was made of, for every day of 800 years")
    func roundTrip() {
        for day in -146_097...146_097 {
            let instant = Timestamp(milliseconds: Int64(day) * 86_400_000)
            guard CivilTime(instant).timestamp == instant else {
                Issue.record("day \(day)")
                return
            }
        }
    }

    @Test("parts out of their range make no time")
    func ranges() {
        #expect(CivilTime(year: 2000, month: 13, day: 1, hour: 0, minute: 0, second: 0) == nil)
        #expect(CivilTime(year: 2000, month: 1, day: 0, hour: 0, minute: 0, second: 0) == nil)
        #expect(CivilTime(year: 2000, month: 1, day: 1, hour: 24, minute: 0, second: 0) == nil)
        #expect(CivilTime(year: 10000, month: 1, day: 1, hour: 0, minute: 0, second: 0) == nil)
    }
}
