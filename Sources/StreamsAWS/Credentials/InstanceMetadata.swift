import NIOHTTP1

/// The instance metadata service of EC2, version 2.
///
/// Amazon EC2 User Guide, "Use the Instance Metadata Service to access instance metadata".
struct InstanceMetadata: Sendable {
    private let environment: [String: String]
    private let client: MetadataClient

    init(environment: [String: String], transport: any AWSTransport) {
        self.environment = environment
        self.client = MetadataClient(transport: transport)
    }

    /// What asking came to.
    enum Outcome {
        case found([UInt8])
        /// There is no such value: for credentials, no role.
        case missing
        /// Nothing answers: not an instance, or the service is switched off.
        case unreachable(cause: String)
    }

    /// Whether `AWS_EC2_METADATA_DISABLED` says not to ask.
    var isDisabled: Bool { environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() == "true" }

    /// Takes a session token, which each question needs.
    func session() async throws(AWSError) -> Session? {
        let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        let endpoint = try AWSEndpoint(url: environment[variable] ?? "http://169.254.169.254", variable: variable)
        let base = "\(endpoint.scheme)://\(endpoint.authority)\(endpoint.pathPrefix)/latest/"
        let headers = [(name: "x-aws-ec2-metadata-token-ttl-seconds", value: "21600")]
        guard let answer = try? await client.send(.PUT, base + "api/token", headers: headers), answer.status == 200
        else {
            if Task.isCancelled { throw AWSError(.cancelled, "Cancelled.") }
            return nil
        }
        let token = String(decoding: answer.body, as: UTF8.self)
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        return Session(base: base, token: token, client: client)
    }

    /// A session with the service.
    struct Session {
        fileprivate let base: String
        fileprivate let token: String
        fileprivate let client: MetadataClient

        /// Asks for a value.
        func value(_ path: String) async throws(AWSError) -> Outcome {
            let headers = [(name: "x-aws-ec2-metadata-token", value: token)]
            do {
                let answer = try await client.send(.GET, base + "meta-data/" + path, headers: headers)
                switch answer.status {
                case 200: return .found(answer.body)
                case 404: return .missing
                default: return .unreachable(cause: "status \(answer.status)")
                }
            } catch {
                if error.kind == .cancelled { throw AWSError(.cancelled, "Cancelled.") }
                return .unreachable(cause: error.cause)
            }
        }
    }
}

extension InstanceMetadata {
    /// The region that the instance is in, where it can be found out.
    func region() async throws(AWSError) -> String? {
        guard !isDisabled, let session = try await session(),
            case .found(let bytes) = try await session.value("placement/region")
        else { return nil }
        let region = String(decoding: bytes, as: UTF8.self)
        return AWSConfiguration.isRegion(region) ? region : nil
    }
}
