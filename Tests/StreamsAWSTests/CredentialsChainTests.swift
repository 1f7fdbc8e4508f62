import AWSSigning
import NIOHTTP1
import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@testable import StreamsAWS

@Suite("Where credentials come from")
struct CredentialsChainTests {
    private let role = #"{"AccessKeyId":"ROLE","SecretAccessKey":"s","Token":"t","Expiration":"2033-05-18T03:33:20Z"}"#

    @Test("the environment goes before the files, and an empty token is none")
    func environment() async throws {
        let found = try await find(
            ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "", "HOME": "home"],
            files: ["home/.aws/credentials": "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n"])
        #expect(found == AWSCredentials(accessKeyID: "ENV", secretAccessKey: "s", sessionToken: nil))
    }

    @Test("half a key in the environment is a mistake that is named")
    func halfKey() async {
        await #expect(throws: AWSError.self) { try await find(["AWS_ACCESS_KEY_ID": "ENV"]) }
        let error = await failure(["AWS_SECRET_ACCESS_KEY": "very-secret"])
        #expect(error?.message == "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not: set both, or neither.")
    }

    @Test("a key with spaces is a mistake that is named, and not shown")
    func spaces() async {
        let error = await failure(["AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "very-secret\n"])
        #expect(error?.code == .badSetting)
        #expect(error?.message.contains("very-secret") == false)
    }

    @Test("the profile's keys come from either file, those of the credentials file first")
    func files() async throws {
        let files = [
            "home/.aws/credentials": "[dev]\naws_access_key_id=FIRST\naws_secret_access_key=s\naws_session_token=t\n",
            "home/.aws/config": "[profile dev]\naws_access_key_id=SECOND\naws_secret_access_key=s\n",
            "other": "[default]\naws_access_key_id=OTHER\naws_secret_access_key=s\n",
        ]
        let dev = try await find(["AWS_PROFILE": "dev", "HOME": "home"], files: files)
        #expect(dev == AWSCredentials(accessKeyID: "FIRST", secretAccessKey: "s", sessionToken: "t"))
        let other = try await find(["AWS_SHARED_CREDENTIALS_FILE": "other", "HOME": "home"], files: files)
        #expect(other?.accessKeyID == "OTHER")
        let second = try await find(
            ["AWS_PROFILE": "dev", "AWS_SHARED_CREDENTIALS_FILE": "~/none", "HOME": "home"], files: files)
        #expect(second?.accessKeyID == "SECOND")
    }

    @Test("a profile that was asked for by name and does not serve is a mistake that is named")
    func badProfile() async {
        let sso = ["home/.aws/config": "[profile dev]\nsso_session = x\n[profile empty]\nregion = x\n"]
        let named = await failure(["AWS_PROFILE": "dev", "HOME": "home"], files: sso)
        #expect(named?.message.contains("sso_session") == true)
        let missing = await failure(["AWS_PROFILE": "none", "HOME": "home"], files: sso)
        #expect(missing?.message.contains("'none'") == true)
        let empty = await failure(["AWS_PROFILE": "empty", "HOME": "home"], files: sso)
        #expect(empty?.message.contains("aws_access_key_id") == true)
    }

    @Test("where there is nothing, the error names all four places")
    func nothing() async {
        let error = await failure(["AWS_EC2_METADATA_DISABLED": "true"])
        #expect(error?.code == .noCredentials)
        for word in ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "EC2"] {
            #expect(error?.message.contains(word) == true)
        }
    }

    @Test("a container's endpoint is asked with its token, which is read from its file each time")
    func container() async throws {
        let role = role
        let server = try await LocalServer.start { _ in .answer(200, body: role) }
        let environment = [
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "\(server.url)/creds?x=1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "not this", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "token",
        ]
        let found = try await find(environment, files: ["token": "from-file\n"])
        #expect(
            found
                == AWSCredentials(
                    accessKeyID: "ROLE", secretAccessKey: "s", sessionToken: "t",
                    expiration: Timestamp(milliseconds: 2_000_000_000_000)))
        let request = try #require(server.requests.first)
        #expect(request.uri == "/creds?x=1" && request.method == .GET)
        #expect(request.headers.first(name: "authorization") == "from-file")
        try await server.stop()
    }

    @Test(
        "keys with line breaks are refused wherever they come from, and not shown",
        arguments: [
            #"{"AccessKeyId":"ROLE","SecretAccessKey":"hidden\n","Token":"t"}"#,
            #"{"AccessKeyId":"ROLE","SecretAccessKey":"s","Token":"hid\r\nden"}"#,
            #"{"AccessKeyId":"hid den","SecretAccessKey":"s","Token":"t"}"#,
        ])
    func brokenKeys(document: String) async throws {
        let server = try await LocalServer.start { head in
            switch head.uri {
            case "/latest/api/token": .answer(200, body: "SESSION")
            case "/latest/meta-data/iam/security-credentials/": .answer(200, body: "my-role")
            default: .answer(200, body: document)
            }
        }
        for environment in [
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url], ["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url],
        ] {
            let error = await failure(environment)
            #expect(error?.code == .badSetting)
            #expect(error?.message.contains("spaces or other characters") == true)
            #expect(error?.message.contains("hid") == false)
        }
        try await server.stop()
    }

    @Test("a container's endpoint that fails is named, after a second try")
    func failingContainer() async throws {
        let server = try await LocalServer.start { _ in .answer(500, body: "") }
        let error = await failure(["AWS_CONTAINER_CREDENTIALS_FULL_URI": server.url])
        #expect(error?.message.contains("AWS_CONTAINER_CREDENTIALS_FULL_URI") == true)
        #expect(server.requests.count == 2)
        try await server.stop()
    }

    @Test(
        "a token does not go to any host in clear text",
        arguments: [
            "http://example.com/", "http://169.254.170.2.example.com/", "http://127.evil.example/", "http://10.0.0.1/",
            "http://[2001:db8::1]/",
        ])
    func clearText(_ url: String) async {
        let error = await failure(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
        #expect(error?.code == .badSetting)
    }

    @Test("an instance's endpoint is asked for a session, the role, and its keys")
    func instance() async throws {
        let role = role
        let server = try await LocalServer.start { head in
            switch (head.method, head.uri) {
            case (.PUT, "/latest/api/token"): .answer(200, body: "SESSION")
            case (.GET, "/latest/meta-data/iam/security-credentials/"): .answer(200, body: "my-role\n")
            case (.GET, "/latest/meta-data/iam/security-credentials/my-role"): .answer(200, body: role)
            case (.GET, "/latest/meta-data/placement/region"): .answer(200, body: "ap-south-1")
            default: .answer(404, body: "")
            }
        }
        let environment = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url]
        #expect(try await find(environment)?.accessKeyID == "ROLE")
        let requests = server.requests
        #expect(requests.first?.headers.first(name: "x-aws-ec2-metadata-token-ttl-seconds") == "21600")
        #expect(requests.dropFirst().allSatisfy { $0.headers.first(name: "x-aws-ec2-metadata-token") == "SESSION" })
        let metadata = InstanceMetadata(environment: environment, transport: HTTPTransport.shared)
        #expect(try await metadata.region() == "ap-south-1")
        try await server.stop()
    }

    @Test("an instance without a role has no credentials, and one that hangs is given up soon", .timeLimit(.minutes(1)))
    func noInstance() async throws {
        let server = try await LocalServer.start { head in
            head.method == .PUT ? .answer(200, body: "SESSION") : .answer(404, body: "")
        }
        #expect(await failure(["AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url])?.code == .noCredentials)
        try await server.stop()
        let hanging = try await LocalServer.start { _ in .nothing }
        #expect(await failure(["AWS_EC2_METADATA_SERVICE_ENDPOINT": hanging.url])?.code == .noCredentials)
        try await hanging.stop()
    }

    private func find(_ environment: [String: String], files: [String: String] = [:]) async throws(AWSError)
        -> AWSCredentials?
    {
        let settings = [
            "AWS_EC2_METADATA_DISABLED": environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"] == nil ? "true" : ""
        ]
        let configuration = try AWSConfiguration(environment: environment.merging(settings) { $1 }) {
            files[$0].map { Array($0.utf8) }
        }
        return try await CredentialsChain(configuration, transport: HTTPTransport.shared).find()
    }

    private func failure(_ environment: [String: String], files: [String: String] = [:]) async -> AWSError? {
        do {
            _ = try await find(environment, files: files)
            return nil
        } catch {
            return error
        }
    }
}
