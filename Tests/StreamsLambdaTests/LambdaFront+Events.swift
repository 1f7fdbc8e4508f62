import Foundation
import HTTPTypes
import StreamsAPI
import StreamsHTTP
import StreamsModel

/// Events as the gateways make them of requests.
extension LambdaFront {
    /// An event of a REST API with the stage `prod`: the path as it was sent, the query decoded.
    static func restEvent(_ request: APIRequest) -> [String: Any] {
        let (path, query) = parts(request.target)
        var parameters: [String: [String]] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            parameters[decode(parts[0]), default: []].append(parts.count > 1 ? decode(parts[1]) : "")
        }
        var headers: [String: [String]] = [:]
        for field in request.headers { headers[field.name.rawName, default: []].append(field.value) }
        var event = bodyMembers(request.body)
        event["resource"] = "/{proxy+}"
        event["path"] = path
        event["httpMethod"] = request.method.rawValue
        event["headers"] = headers.mapValues { $0.last ?? "" }
        event["multiValueHeaders"] = headers
        event["queryStringParameters"] = parameters.isEmpty ? NSNull() : parameters.mapValues { $0.last ?? "" }
        event["multiValueQueryStringParameters"] = parameters.isEmpty ? NSNull() : parameters
        event["pathParameters"] = ["proxy": String(path.dropFirst())]
        event["stageVariables"] = NSNull()
        event["requestContext"] = [
            "accountId": "000000000000", "apiId": "abcdefghij", "stage": "prod", "path": "/prod" + path,
            "httpMethod": request.method.rawValue, "protocol": "HTTP/1.1", "identity": ["sourceIp": "127.0.0.1"],
        ]
        return event
    }

    /// An event of an HTTP API with the stage `prod`, the query as it was sent.
    ///
    /// (The real one decodes the path, so that a client gets another error for an escaped slash. Here it comes as sent.)
    static func httpEvent(_ request: APIRequest) -> [String: Any] {
        let (path, query) = parts(request.target)
        var headers: [String: String] = [:]
        for field in request.headers {
            let name = field.name.rawName.lowercased()
            headers[name] = headers[name].map { $0 + "," + field.value } ?? field.value
        }
        var event = bodyMembers(request.body)
        event["version"] = "2.0"
        event["routeKey"] = "$default"
        event["rawPath"] = "/prod" + path
        event["rawQueryString"] = query
        event["headers"] = headers
        event["requestContext"] = [
            "accountId": "000000000000", "apiId": "abcdefghij", "stage": "prod",
            "http": [
                "method": request.method.rawValue, "path": "/prod" + path, "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1", "userAgent": "test",
            ],
        ]
        return event
    }

    private static func parts(_ target: String) -> (path: String, query: String) {
        let parts = target.prefix { $0 != "#" }.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
    }

    /// What can not be decoded comes as it was sent.
    private static func decode(_ text: Substring) -> String {
        PercentEncoding.decode(text, plusIsSpace: true) ?? String(text)
    }

    /// A body that is text as text, another as base64, as with `*/*` among the binary media types.
    private static func bodyMembers(_ body: [UInt8]) -> [String: Any] {
        if body.isEmpty { return ["body": NSNull(), "isBase64Encoded": false] }
        guard let text = String(validating: body, as: UTF8.self) else {
            return ["body": Data(body).base64EncodedString(), "isBase64Encoded": true]
        }
        return ["body": text, "isBase64Encoded": false]
    }
}
