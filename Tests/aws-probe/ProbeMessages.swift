import FoundationEssentials
import StreamsAWS
import StreamsCore

/// What a test asks for; which members are there depends on the call.
struct ProbeRequest: Decodable {
    /// `sign`, or the name of a client's function.
    var call: String
    var key: String?
    var keys: [String]?
    var body: Data?
    var metadata: [[String]]?
    var etag: String?
    var ifNoneMatch: Bool?
    var contentType: String?
    /// Milliseconds since 1970: when to sign.
    var at: Int64?
    var timeoutMilliseconds: Int64?
    var prefix: String?
    var startAfter: String?
    var maxKeys: Int?
    var item: DynamoDBItem?
    var update: String?
    var condition: String?
    var names: [String: String]?
    var values: DynamoDBItem?
    var returnValues: String?
    var index: String?
    var exclusiveStartKey: DynamoDBItem?
    var isForward: Bool?
    // For `sign`.
    var method: String?
    var path: String?
    var query: [[String]]?
    var headers: [[String]]?
    var service: String?
    var region: String?
    var accessKeyID: String?
    var secretAccessKey: String?
    var sessionToken: String?
}

/// What came of it.
struct ProbeAnswer: Encodable {
    struct Failure: Encodable {
        var code: String
        var effect: String
        var message: String
    }

    var error: Failure?
    /// The case of an outcome, such as `stored` or `conditionFailed`; `missing` for `nil`.
    var outcome: String?
    var etag: String?
    var body: Data?
    var metadata: [String: String]?
    var lastModified: Int64?
    var bodyBytes: Int?
    var keys: [String]?
    var isTruncated: Bool?
    var item: DynamoDBItem?
    var items: [DynamoDBItem]?
    var lastEvaluatedKey: DynamoDBItem?
    var requests: [String: Int]?
    // For `sign`.
    var path: String?
    var query: String?
    var headers: [[String]]?

    init() {}

    init(error: AWSError) {
        self.error = Failure(
            code: "\(error.code)", effect: "\(error.effect)", message: error.description)
    }
}
