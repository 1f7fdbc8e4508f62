import AWSSigning
import NIOHTTP1

/// Credentials of a container's role: ECS, Fargate, EKS Pod Identity.
///
/// AWS SDKs and Tools Reference Guide, "Container credential provider".
struct ContainerCredentials: CredentialsSource {
    let environment: [String: String]
    let readFile: @Sendable (String) -> [UInt8]?
    let endpoint: MetadataClient

    func find() async throws(AWSError) -> AWSCredentials? {
        guard let url = try url() else { return nil }
        let headers = try authorization().map { [(name: "authorization", value: $0)] } ?? []
        let answer: AWSTransportAnswer
        do {
            answer = try await endpoint.send(.GET, url, headers: headers)
        } catch {
            if error.kind == .cancelled { throw AWSError(.cancelled, "Cancelled.") }
            throw failure("does not answer: \(error.cause)")
        }
        guard answer.status == 200 else { throw failure("answered with status \(answer.status)") }
        guard let document = CredentialsDocument(answer.body) else {
            throw failure("answered with something other than credentials")
        }
        return try document.credentials(from: "the answer of the container's credentials endpoint")
    }

    private func url() throws(AWSError) -> String? {
        if let path = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"], !path.isEmpty {
            guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
                throw AWSError(
                    .badSetting, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must be a path that begins with /.")
            }
            return "http://169.254.170.2" + path
        }
        let variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
        guard let url = environment[variable], !url.isEmpty else { return nil }
        // The query is not part of an endpoint, and may be part of this URL.
        let parsed = try AWSEndpoint(url: String(url.prefix { $0 != "?" }), variable: variable)
        guard parsed.scheme == "https" || Self.isNear(parsed.authority) else {
            throw AWSError(
                .badSetting,
                "\(variable) must use https, or the host must be this machine or 169.254.170.2 or 169.254.170.23.")
        }
        return url
    }

    /// The hosts to which a token may go in clear text.
    private static func isNear(_ authority: String) -> Bool {
        let isBracketed = authority.hasPrefix("[")
        let host = isBracketed ? authority.prefix { $0 != "]" }.dropFirst() : authority.prefix { $0 != ":" }
        if ["localhost", "169.254.170.2", "169.254.170.23", "::1", "fd00:ec2::23"].contains(String(host)) {
            return true
        }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }

    /// The token that the endpoint asks for.
    ///
    /// Its file is read each time: it is replaced before it expires.
    private func authorization() throws(AWSError) -> String? {
        let variable = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
        var token = environment[variable] ?? ""
        if let path = environment[variable + "_FILE"], !path.isEmpty {
            guard let bytes = readFile(path) else {
                throw AWSError(.badSetting, "\(variable)_FILE names a file that cannot be read: \(path)")
            }
            token = String(decoding: bytes, as: UTF8.self)
            while token.last?.isNewline == true { token.removeLast() }
        }
        guard token.utf8.allSatisfy({ $0 >= 32 && $0 < 127 }) else {
            throw AWSError(.badSetting, "\(variable) has characters that cannot go into a header.")
        }
        return token.isEmpty ? nil : token
    }

    private func failure(_ what: String) -> AWSError {
        AWSError(
            .noCredentials,
            "The container's credentials endpoint (AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI) \(what).")
    }
}
