import AWSSigning

/// Credentials of an EC2 instance's role.
struct InstanceCredentials: CredentialsSource {
    private let metadata: InstanceMetadata

    init(_ metadata: InstanceMetadata) {
        self.metadata = metadata
    }

    func find() async throws(AWSError) -> AWSCredentials? {
        guard !metadata.isDisabled, let session = try await metadata.session() else { return nil }
        let folder = "iam/security-credentials/"
        guard let list = try await answer(session.value(folder)), let role = Self.firstLine(list) else { return nil }
        guard let body = try await answer(session.value(folder + role)), let document = CredentialsDocument(body)
        else { throw Self.failure("has no credentials for the role '\(role)'") }
        return try document.credentials(from: "the answer of the instance metadata service")
    }

    private func answer(_ outcome: InstanceMetadata.Outcome) throws(AWSError) -> [UInt8]? {
        switch outcome {
        case .found(let bytes): return bytes
        case .missing: return nil
        case .unreachable(let cause): throw Self.failure("does not answer: \(cause)")
        }
    }

    /// The role's name, as part of a path.
    private static func firstLine(_ bytes: [UInt8]) -> String? {
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return line.isEmpty ? nil : URIEncoding.component(String(decoding: line, as: UTF8.self))
    }

    private static func failure(_ what: String) -> AWSError {
        AWSError(.noCredentials, "The instance metadata service of this EC2 instance \(what).")
    }
}
