import AWSSigning
import NIOCore
import NIOHTTP1
import StreamsModel

/// The services that are called.
enum AWSService: Sendable {
    case s3
    case dynamoDB

    /// The name in the scope of a signature, and in the endpoint's host name.
    var signingName: String {
        switch self {
        case .s3: "s3"
        case .dynamoDB: "dynamodb"
        }
    }

    /// The name for people.
    var name: String {
        switch self {
        case .s3: "S3"
        case .dynamoDB: "DynamoDB"
        }
    }

    var rules: SigningRules {
        switch self {
        case .s3: .s3
        case .dynamoDB: .general
        }
    }
}

/// The bucket or the table that a call is about.
struct AWSResource: Sendable, CustomStringConvertible {
    /// `bucket` or `table`.
    var kind: String
    var name: String
    /// The environment variable that names it.
    var variable: String

    static func bucket(_ name: String) -> AWSResource {
        AWSResource(kind: "bucket", name: name, variable: "BUCKET_NAME")
    }

    static func table(_ name: String) -> AWSResource {
        AWSResource(kind: "table", name: name, variable: "COUNTERS_TABLE")
    }

    var description: String { "the \(kind) '\(name)'" }
}

/// One call of an operation, the same at every try.
struct AWSCall: Sendable {
    var service: AWSService
    /// AWS's name of the operation, such as `PutObject`.
    var operation: String
    /// The name under which its requests are counted: the service and the operation.
    var meter: String
    var resource: AWSResource
    /// Whether it changes anything.
    var isWrite: Bool
    var method: HTTPMethod = .POST
    /// The key of an object, not encoded; `nil` for the bucket itself, and for DynamoDB.
    var key: String?
    /// The query, encoded.
    var query = ""
    /// The headers of the operation, in lower case; all are signed.
    var headers: [(name: String, value: String)] = []
    var body: ByteBuffer?
    var payload = PayloadDigest.empty
    /// The time that every try is signed with; `nil` means the time of the try.
    var signedAt: Timestamp?
    /// AWS's codes that are answers to the caller rather than failures.
    var expectedCodes: Set<String> = []

    init(_ service: AWSService, _ operation: String, on resource: AWSResource, isWrite: Bool) {
        self.service = service
        self.operation = operation
        self.meter = service.signingName + "." + operation
        self.resource = resource
        self.isWrite = isWrite
    }

    /// The permissions that the operation needs, as policies name them.
    var permission: String {
        switch (service, operation) {
        case (.s3, "HeadObject"): "s3:GetObject"
        case (.s3, "ListObjectsV2"): "s3:ListBucket"
        case (.s3, "DeleteObjects"): "s3:DeleteObject"
        default: service.signingName + ":" + operation
        }
    }
}

/// What AWS answered: a success, or one of the codes that the call expects.
struct AWSAnswer: Sendable {
    var answer: AWSTransportAnswer
    /// The expected refusal; `nil` for a success.
    var refusal: AWSRefusal?
}
