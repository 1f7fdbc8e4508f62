import StreamsModel

/// What the environment says of region, endpoints and credentials; read once, without any call.
package struct AWSConfiguration: Sendable {
    /// The variables of the environment; empty ones count as absent.
    package var environment: [String: String]
    /// How a file is read: its bytes, or `nil` where there is none.
    package var readFile: @Sendable (String) -> [UInt8]?
    /// The region, where the environment or the profile names it.
    package var region: String?
    /// Where S3 is reached instead of AWS.
    package var s3Endpoint: AWSEndpoint?
    /// Where DynamoDB is reached instead of AWS.
    package var dynamoDBEndpoint: AWSEndpoint?
    /// Whether the bucket is named in the path rather than in the host.
    package var usesPathStyle: Bool

    /// Reads the environment, and the profile files that it points to.
    ///
    /// - Throws: `badSetting`, naming the variable whose value is not of the form it must have.
    package init(
        environment: [String: String], readFile: @escaping @Sendable (String) -> [UInt8]? = SystemFiles.read
    ) throws(AWSError) {
        let environment = environment.filter { !$0.value.isEmpty }
        self.environment = environment
        self.readFile = readFile
        region = environment["AWS_REGION"] ?? environment["AWS_DEFAULT_REGION"]
        if region == nil { region = ProfileFiles(environment: environment, readFile: readFile).profile()?["region"] }
        if let region, !Self.isRegion(region) {
            throw AWSError(
                .badSetting,
                "AWS_REGION (or the profile's region) must be a region such as eu-central-1, not '\(region.prefix(40))'."
            )
        }
        s3Endpoint = try Self.endpoint("AWS_ENDPOINT_URL_S3", environment)
        dynamoDBEndpoint = try Self.endpoint("AWS_ENDPOINT_URL_DYNAMODB", environment)
        usesPathStyle = try Self.flag("STREAMS_S3_PATH_STYLE", environment) ?? (s3Endpoint != nil)
    }

    private static func endpoint(_ variable: String, _ environment: [String: String]) throws(AWSError) -> AWSEndpoint? {
        for variable in [variable, "AWS_ENDPOINT_URL"] {
            if let url = environment[variable] { return try AWSEndpoint(url: url, variable: variable) }
        }
        return nil
    }

    private static func flag(_ variable: String, _ environment: [String: String]) throws(AWSError) -> Bool? {
        switch environment[variable]?.lowercased() {
        case nil: nil
        case "true", "1", "yes": true
        case "false", "0", "no": false
        default: throw AWSError(.badSetting, "\(variable) must be true or false.")
        }
    }

    /// The region becomes part of a host name and of each signature.
    static func isRegion(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 64
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "-")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }
}

extension AWSConfiguration {
    /// Where a service is reached in a region.
    func endpoint(of service: AWSService, region: String) -> AWSEndpoint {
        let override =
            switch service {
            case .s3: s3Endpoint
            case .dynamoDB: dynamoDBEndpoint
            }
        return override
            ?? AWSEndpoint(
                scheme: "https", authority: "\(service.signingName).\(region).\(Self.domain(ofRegion: region))")
    }

    /// The domains of AWS's partitions.
    private static func domain(ofRegion region: String) -> String {
        if region.hasPrefix("cn-") { return "amazonaws.com.cn" }
        if region.hasPrefix("eusc-") { return "amazonaws.eu" }
        return "amazonaws.com"
    }
}
