import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An answer of AWS that is not a success, as far as it can be read.
struct AWSRefusal: Sendable {
    /// The HTTP status.
    var status: Int
    /// AWS's code, such as `NoSuchKey`; `HTTP` and the status where the answer is not readable.
    var code: String
    /// Whether the answer is of the service's form; what is not may come from a proxy, and means nothing else.
    var isReadable: Bool
    /// AWS's message; may be empty.
    var message: String
    /// The region that the answer names as the right one.
    var region: String?
    /// AWS's id of the request.
    var requestID: String?

    /// Reads an answer of S3: XML, or to HEAD nothing but a status.
    static func s3(_ answer: AWSTransportAnswer, isHead: Bool) -> AWSRefusal {
        let error = XMLElement.parse(answer.body).flatMap { $0.name == "Error" ? $0 : nil }
        let code = isHead ? codeWithoutBody(of: answer.status) : error?["Code"]
        return AWSRefusal(
            status: answer.status, code: code ?? unreadable(answer.status), isReadable: code != nil,
            message: error?["Message"] ?? "",
            region: answer.headers.first(name: "x-amz-bucket-region") ?? error?["Region"],
            requestID: answer.requestID ?? error?["RequestId"])
    }

    /// Reads an answer of DynamoDB: JSON whose `__type` ends in `#` and the code.
    static func dynamoDB(_ answer: AWSTransportAnswer) -> AWSRefusal {
        let document = try? JSONDecoder().decode(DynamoDBErrorDocument.self, from: Data(answer.body))
        let code = document?.type?.split(separator: "#").last.map(String.init)
        return AWSRefusal(
            status: answer.status, code: code ?? unreadable(answer.status), isReadable: code != nil,
            message: document?.message ?? "", requestID: answer.requestID)
    }

    private static func unreadable(_ status: Int) -> String { "HTTP\(status)" }

    /// Answers to HEAD have no body.
    private static func codeWithoutBody(of status: Int) -> String {
        switch status {
        case 301, 307: "PermanentRedirect"
        case 403: "AccessDenied"
        case 404: "NoSuchKey"
        case 409: "ConditionalRequestConflict"
        case 412: "PreconditionFailed"
        case 429: "TooManyRequests"
        default: unreadable(status)
        }
    }
}

private struct DynamoDBErrorDocument: Decodable {
    var type: String?
    var message: String?

    private enum Key: String, CodingKey {
        case type = "__type"
        case message, capitalMessage = "Message"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        type = try container.decodeIfPresent(String.self, forKey: .type)
        // Both spellings are met in the wild.
        message =
            try container.decodeIfPresent(String.self, forKey: .message)
            ?? container.decodeIfPresent(String.self, forKey: .capitalMessage)
    }
}
