package import AWSSigning

/// A place where credentials may be found.
package protocol CredentialsSource: Sendable {
    /// The credentials as they are now, or `nil` where this place is not in use.
    ///
    /// - Throws: when the place is in use and does not give any; the next places are then not asked.
    func find() async throws(AWSError) -> AWSCredentials?
}

/// The places in their order: the first one in use decides.
package struct CredentialsChain: CredentialsSource {
    private let sources: [any CredentialsSource]

    /// Makes a chain of given places.
    package init(_ sources: [any CredentialsSource]) {
        self.sources = sources
    }

    /// The usual places: environment (in Lambda the only one), shared files, container endpoint, instance endpoint.
    package init(_ configuration: AWSConfiguration, transport: any AWSTransport) {
        let environment = configuration.environment
        self.init([
            EnvironmentCredentials(environment: environment),
            ProfileCredentials(files: ProfileFiles(environment: environment, readFile: configuration.readFile)),
            ContainerCredentials(
                environment: environment, readFile: configuration.readFile,
                endpoint: MetadataClient(transport: transport)),
            InstanceCredentials(InstanceMetadata(environment: environment, transport: transport)),
        ])
    }

    /// The credentials of the first place that is in use.
    ///
    /// - Throws: `noCredentials`, naming all places, when none is.
    package func find() async throws(AWSError) -> AWSCredentials? {
        for source in sources {
            if let credentials = try await source.find() { return credentials }
        }
        throw AWSError(
            .noCredentials,
            "There are no AWS credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or AWS_PROFILE, with the "
                + "profile's keys in ~/.aws/credentials; or run in a container with a task role "
                + "(AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI); or on an EC2 instance with a role.")
    }
}
