package import HTTPTypes

/// A request as every front hands it in: the server, and later the Lambda.
package struct APIRequest: Sendable {
    /// The method.
    package var method: HTTPRequest.Method
    /// Path and query as they came, in origin form.
    package var target: String
    /// The header fields.
    package var headers: HTTPFields
    /// The whole body; the front has kept it to ``StreamsHandler/bodyBytesMaximum``.
    package var body: [UInt8]

    /// Makes a request.
    package init(
        method: HTTPRequest.Method, target: String, headers: HTTPFields = HTTPFields(), body: [UInt8] = []
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}
