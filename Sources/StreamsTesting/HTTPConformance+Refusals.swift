import HTTPTypes
import StreamsHTTP
import Testing

/// Every bad input with its error, each of which changes nothing.
extension HTTPConformance {
    static var refusalChecks: [Check] {
        let refusals =
            HTTPRefusal.paths + HTTPRefusal.methods + HTTPRefusal.parameters + HTTPRefusal.starts
            + HTTPRefusal.negotiation + HTTPRefusal.bodies + HTTPRefusal.shapes + HTTPRefusal.limits
        return refusals.map { refusal in
            Check(refusal.name) { try await refusal.check(on: $0) }
        }
    }
}

/// A request that is refused, and how.
struct HTTPRefusal: Sendable {
    /// What is wrong with the request.
    var name: String
    /// The request.
    var request: APIRequest
    /// What the answer says.
    var problem: ExpectedProblem
    /// The `Allow` field, on 405.
    var allow: String?

    /// A request without a body.
    init(
        _ method: HTTPRequest.Method, _ target: String, headers: HTTPFields = [:], allow: String? = nil,
        _ problem: ExpectedProblem
    ) {
        let fields = headers.map { ", \($0.name): \($0.value)" }.joined()
        self.name = Self.name("\(method) \(target)\(fields)", problem)
        self.request = APIRequest(method: method, target: target, headers: headers)
        self.problem = problem
        self.allow = allow
    }

    /// A produce request with a body.
    init(body: [UInt8], contentType: String? = nil, name: String? = nil, _ problem: ExpectedProblem) {
        var headers = HTTPFields()
        headers[.contentType] = contentType
        let text = name ?? String(decoding: body, as: UTF8.self)
        self.name = Self.name("\(contentType.map { $0 + " " } ?? "")\(text.debugDescription)", problem)
        self.request = APIRequest(method: .post, target: "/topics/orders/produce", headers: headers, body: body)
        self.problem = problem
    }

    /// A produce request with a body of text.
    init(body: String, contentType: String? = nil, name: String? = nil, _ problem: ExpectedProblem) {
        self.init(body: Array(body.utf8), contentType: contentType, name: name, problem)
    }

    private static func name(_ request: String, _ problem: ExpectedProblem) -> String {
        let members = problem.members.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        return "\(request) is \(problem.status) \(problem.code)\(members)"
    }

    /// Sends the request where messages are, and sees that they are all that is there afterwards.
    func check(on front: HTTPFront) async throws {
        try await front.produceNumbers(3)
        let answer = try await front.send(request)
        try answer.expect(problem)
        #expect(answer.headers[.allow] == allow)
        try await front.get("/topics").expect(json: #"{"topics":[{"topic":"orders"}],"next_cursor":null}"#)
        try await front.get("/topics/orders/consume").expect(numbers: 1..<4, end: 4)
    }
}
