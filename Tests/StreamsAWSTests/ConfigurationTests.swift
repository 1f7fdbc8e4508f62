import StreamsTesting
import Testing

@testable import StreamsAWS

@Suite("Settings for AWS")
struct ConfigurationTests {
    @Test("the region comes from AWS_REGION, AWS_DEFAULT_REGION, the profile, in this order")
    func region() throws {
        let files = ["home/.aws/config": "[default]\nregion = eu-north-1\n[profile dev]\nregion=eu-west-3\n"]
        let region = { (environment: [String: String]) throws in
            try AWSConfiguration(environment: environment.merging(["HOME": "home"]) { $1 }) {
                files[$0].map { Array($0.utf8) }
            }.region
        }
        #expect(try region(["AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-2"]) == "us-east-1")
        #expect(try region(["AWS_REGION": "", "AWS_DEFAULT_REGION": "us-east-2"]) == "us-east-2")
        #expect(try region([:]) == "eu-north-1")
        #expect(try region(["AWS_PROFILE": "dev"]) == "eu-west-3")
        #expect(try region(["AWS_PROFILE": "other"]) == nil)
    }

    @Test(
        "a request goes to the bucket's own host at AWS, and to a path elsewhere",
        arguments: [
            ([:], "bucket", "https://bucket.s3.eu-central-1.amazonaws.com/a%20b/c"),
            ([:], "with.dots", "https://s3.eu-central-1.amazonaws.com/with.dots/a%20b/c"),
            (["STREAMS_S3_PATH_STYLE": "true"], "bucket", "https://s3.eu-central-1.amazonaws.com/bucket/a%20b/c"),
            (["AWS_REGION": "cn-north-1"], "bucket", "https://bucket.s3.cn-north-1.amazonaws.com.cn/a%20b/c"),
            (["AWS_ENDPOINT_URL": "http://127.0.0.1:4566"], "bucket", "http://127.0.0.1:4566/bucket/a%20b/c"),
            (
                ["AWS_ENDPOINT_URL_S3": "https://S3.Example.com:443/base/"], "bucket",
                "https://s3.example.com/base/bucket/a%20b/c"
            ),
            (
                ["AWS_ENDPOINT_URL_S3": "http://[::1]:9000", "AWS_ENDPOINT_URL": "http://other"], "bucket",
                "http://[::1]:9000/bucket/a%20b/c"
            ),
            (
                ["AWS_ENDPOINT_URL_S3": "http://localhost:80", "STREAMS_S3_PATH_STYLE": "false"], "bucket",
                "http://bucket.localhost/a%20b/c"
            ),
        ] as [([String: String], String, String)])
    func addressing(environment: [String: String], bucket: String, url: String) async throws {
        let clients = try ScriptedClients([Answers.object()], environment: environment)
        _ = try await S3Client(clients.connection, bucket: bucket).getObject("a b/c")
        let request = try #require(clients.transport.requests.first)
        #expect(request.url == url)
        let host = url.split(separator: "/")[1]
        #expect(request.header("host").map { $0[...] } == host)
    }

    @Test(
        "a URL that is none is refused by the name of its variable, without showing it",
        arguments: [
            "localhost:4566", "ftp://host", "http://", "http://user:secret@host", "http://host:0", "http://host:99999",
            "http://host?x=secret", "http://ho st", "http://[::1", "http://host/%41", "http://host:port",
        ])
    func badEndpoints(_ url: String) {
        let error = #expect(throws: AWSError.self) {
            try AWSConfiguration(environment: ["AWS_ENDPOINT_URL_DYNAMODB": url]) { _ in nil }
        }
        #expect(error?.code == .badSetting)
        #expect(error?.message.hasPrefix("AWS_ENDPOINT_URL_DYNAMODB must be a URL") == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test("a region or a flag that is none is refused")
    func badValues() {
        for environment in [
            ["AWS_REGION": "eu/../x"], ["AWS_REGION": "Frankfurt"], ["STREAMS_S3_PATH_STYLE": "perhaps"],
        ] {
            let error = #expect(throws: AWSError.self) {
                try AWSConfiguration(environment: environment) { _ in nil }
            }
            #expect(error?.code == .badSetting)
        }
    }

    @Test("without any region the call says how to set one")
    func noRegion() async throws {
        let clients = try ScriptedClients(
            [Answers.object()], environment: ["AWS_REGION": "", "AWS_EC2_METADATA_DISABLED": "true"])
        let error = await #expect(throws: AWSError.self) { try await clients.put() }
        #expect(error?.code == .noRegion)
        #expect(error?.message.contains("AWS_REGION=") == true)
        #expect(clients.transport.requests.isEmpty)
    }

    @Test("profile files are read with comments, odd spacing and nested settings")
    func profileFile() {
        let text = """
            # comment
            outside = 1
            [default]
            aws_access_key_id=AKID # comment
            aws_secret_access_key =  abc/+=;def
            [ profile   dev ] ; comment
            REGION = eu-west-1\r
            s3 =
              region = nested
            empty =
            [broken
            lost = 1
            [default]
            region = us-east-1
            """
        let sections = ProfileFiles.parse(text)
        #expect(
            sections == [
                "default": ["aws_access_key_id": "AKID", "aws_secret_access_key": "abc/+=;def", "region": "us-east-1"],
                "profile dev": ["region": "eu-west-1", "s3": "", "empty": ""],
            ])
    }

    @Test("random profile files never crash the reader")
    func randomProfileFiles() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var dice = SplitMix64(seed: seed)
        let alphabet = Array("[]=#; \n\r\tab\u{301}é")
        for _ in 0..<5000 {
            let text = String((0..<dice.next(below: 40)).map { _ in alphabet[dice.next(below: alphabet.count)] })
            _ = ProfileFiles.parse(text)
        }
    }
}
