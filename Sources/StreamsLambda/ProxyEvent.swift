import HTTPTypes
package import LambdaRuntime
package import StreamsHTTP

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An HTTP request as Lambda hands it over: from API Gateway, a function URL, or a load balancer.
///
/// The shapes are those of the API Gateway Developer Guide ("Input format of a Lambda function for proxy integration",
/// "Create AWS Lambda proxy integrations for HTTP APIs"), of the Lambda Developer Guide for function URLs, and of the
/// Elastic Load Balancing guide ("Use Lambda functions as targets").
package struct ProxyEvent: Sendable {
    /// The shapes; the answer has to have the same.
    package enum Shape: Sendable, Equatable {
        /// API Gateway with payload format 1.0: REST APIs.
        case first
        /// Payload format 2.0: HTTP APIs and function URLs.
        case second
        /// An Application Load Balancer; `multiValue` where its target group has multi-value headers on.
        case loadBalancer(multiValue: Bool)
    }

    /// The shape.
    package let shape: Shape
    /// The request in it.
    package let request: APIRequest

    /// Reads an event.
    ///
    /// - Throws: `Function.EventNotSupported` where it is no HTTP request, `Function.EventMalformed` where it is one that
    ///   contradicts its shape.
    package init(_ event: [UInt8]) throws(InvocationFailure) {
        let fields: ProxyEventFields
        do {
            fields = try JSONDecoder().decode(ProxyEventFields.self, from: Data(event))
        } catch {
            throw .malformed("The event is not the JSON object of an HTTP request.")
        }
        let context = fields.requestContext
        if fields.maintain != nil {
            throw .notSupported
        } else if let method = context?.http?.method, let path = fields.rawPath {
            shape = .second
            request = try fields.request(
                method: method, path: fields.withoutStage(path), query: TargetText.query(fields.rawQueryString ?? ""))
        } else if let method = fields.httpMethod, let path = fields.path {
            let isLoadBalancer = context?.elb != nil
            shape = isLoadBalancer ? .loadBalancer(multiValue: fields.multiValueHeaders != nil) : .first
            request = try fields.request(
                method: method, path: isLoadBalancer ? path : fields.withoutStage(path),
                query: TargetText.query(fields.parameters, areEncoded: isLoadBalancer))
        } else {
            throw .notSupported
        }
    }
}

extension InvocationFailure {
    fileprivate static let notSupported = InvocationFailure(
        type: "Function.EventNotSupported",
        message: "This function answers HTTP requests from API Gateway, function URLs and load balancers, and "
            + "{\"maintain\": true} without any other member; the event is none of them. "
            + "Remove the trigger that sends it.")

    static func malformed(_ message: String) -> InvocationFailure {
        InvocationFailure(type: "Function.EventMalformed", message: message)
    }
}

/// The members of all shapes; which are there tells the shape.
private struct ProxyEventFields: Decodable {
    struct Context: Decodable {
        struct HTTP: Decodable {
            var method: String?
        }

        struct LoadBalancer: Decodable {}

        var http: HTTP?
        var elb: LoadBalancer?
        var path: String?
        var stage: String?
    }

    /// Any value: what is read is only whether it is there, where no request has it.
    struct Presence: Decodable {
        init(from decoder: any Decoder) {}
    }

    var maintain: Presence?
    var httpMethod: String?
    var path: String?
    var rawPath: String?
    var rawQueryString: String?
    var headers: [String: String?]?
    var multiValueHeaders: [String: [String]?]?
    var queryStringParameters: [String: String?]?
    var multiValueQueryStringParameters: [String: [String]?]?
    var cookies: [String]?
    var requestContext: Context?
    var body: String?
    var isBase64Encoded: Bool?

    /// The query's parameters; each name with its values in order.
    var parameters: [(name: String, value: String)] {
        if let multiple = multiValueQueryStringParameters {
            return multiple.sorted { $0.key < $1.key }.flatMap { name, values in (values ?? []).map { (name, $0) } }
        }
        return (queryStringParameters ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value ?? "") }
    }

    /// The path without the name of the stage, where it begins with it.
    ///
    /// HTTP APIs put it there, unless it is `$default`. REST APIs only have it in the context's path, but a custom
    /// domain puts its base path into both.
    func withoutStage(_ path: String) -> String {
        guard let stage = requestContext?.stage, !stage.isEmpty, stage != "$default" else { return path }
        if rawPath == nil, let whole = requestContext?.path, whole != path { return path }
        let prefix = "/" + stage
        guard path == prefix || path.hasPrefix(prefix + "/") else { return path }
        return String(path.dropFirst(prefix.count))
    }

    func request(method: String, path: String, query: String) throws(InvocationFailure) -> APIRequest {
        guard let method = HTTPRequest.Method(method) else { throw .malformed("The event's HTTP method is no method.") }
        let target = TargetText.path(path) + (query.isEmpty ? "" : "?" + query)
        return APIRequest(method: method, target: target, headers: fieldsOfHeaders(), body: try bodyBytes())
    }

    private func fieldsOfHeaders() -> HTTPFields {
        var fields = HTTPFields()
        func append(_ name: String, _ value: String) {
            guard let name = HTTPField.Name(name) else { return }
            fields.append(HTTPField(name: name, value: value))
        }
        if let multiple = multiValueHeaders {
            for (name, values) in multiple { for value in values ?? [] { append(name, value) } }
        } else {
            for (name, value) in headers ?? [:] { append(name, value ?? "") }
        }
        if let cookies, !cookies.isEmpty { append("Cookie", cookies.joined(separator: "; ")) }
        return fields
    }

    private func bodyBytes() throws(InvocationFailure) -> [UInt8] {
        guard let body, !body.isEmpty else { return [] }
        guard isBase64Encoded == true else { return Array(body.utf8) }
        guard let bytes = Base64.decode(body) else { throw .malformed("The event's body is not base64.") }
        return bytes
    }
}
