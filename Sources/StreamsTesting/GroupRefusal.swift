import HTTPTypes
import StreamsHTTP
import Testing

/// A request about a consumer group that is refused, and changes nothing.
///
/// It meets the group `workers` in a topic of three messages: consumer `a` holds it in generation 1, got all of them, and
/// committed the first.
struct GroupRefusal: Sendable {
    /// What is wrong with the request.
    var name: String
    private var request: APIRequest
    private var problem: ExpectedProblem
    private var allow: String?

    private init(
        _ method: HTTPRequest.Method, _ target: String, body: String = "", allow: String? = nil,
        _ problem: ExpectedProblem
    ) {
        name = "\(method) \(target) \(body) is \(problem.status) \(problem.code)"
        request = APIRequest(method: method, target: target, body: Array(body.utf8))
        self.problem = problem
        self.allow = allow
    }

    private init(action: String, _ body: String, _ problem: ExpectedProblem) {
        self.init(.post, "/topics/orders/groups/workers/\(action)", body: body, problem)
    }

    /// Sends the request where the group stands, and sees that it stands as before.
    func check(on front: HTTPFront) async throws {
        try await front.produceNumbers(3)
        try await front.receive("a").expect(received: 1..<4, generation: 1, next: 4)
        _ = try await front.ack("a", 1, 2)
        let before = try await front.get("/topics/orders/groups/workers").text.replacing(
            /"lag_seconds":[0-9.]+/, with: "")
        let answer = try await front.send(request)
        try answer.expect(problem)
        #expect(answer.headers[.allow] == allow)
        let after = try await front.get("/topics/orders/groups/workers").text.replacing(
            /"lag_seconds":[0-9.]+/, with: "")
        #expect(before == after)
        #expect(try await front.get("/topics/orders/groups").text.contains(#""group":"workers""#))
        #expect(try await front.get("/topics/orders/groups").text.count { $0 == "[" } == 1)
        try await front.get("/topics").expect(json: #"{"topics":[{"topic":"orders"}],"next_cursor":null}"#)
    }

    static var all: [GroupRefusal] { members + offsets + leases + absent + paths + methods }

    private static var members: [GroupRefusal] {
        let holder = #""consumer":"a","generation":1"#
        let receives: [(String, String)] = [
            ("{}", "consumer"), (#"{"consumer":1}"#, "consumer"), (#"{"consumer":null}"#, "consumer"),
            (#"{"consumer":""}"#, "consumer"), (#"{"consumer":"a\n"}"#, "consumer"),
            (#"{"consumer":"\#(String(repeating: "x", count: 256))"}"#, "consumer"),
            (#"{"consumer":"a","limit":0}"#, "limit"), (#"{"consumer":"a","limit":10001}"#, "limit"),
            (#"{"consumer":"a","limit":"1"}"#, "limit"), (#"{"consumer":"a","limit":1.5}"#, "limit"),
            (#"{"consumer":"a","wait":-1}"#, "wait"), (#"{"consumer":"a","wait":20.5}"#, "wait"),
            (#"{"consumer":"a","wait":"1"}"#, "wait"), (#"{"consumer":"a","lease_seconds":0}"#, "lease_seconds"),
            (#"{"consumer":"a","lease_seconds":43201}"#, "lease_seconds"),
            (#"{"consumer":"a","lease_seconds":1.5}"#, "lease_seconds"),
            (#"{"consumer":"a","generation":-1}"#, "generation"), (#"{"consumer":"a","x":1}"#, "x"),
            (#"{"consumer":"a","consumer":"a"}"#, "consumer"), ("[]", "body"), ("1", "body"),
        ]
        let acks: [(String, String)] = [
            ("{\(holder)}", "offset"), (#"{"consumer":"a","offset":3}"#, "generation"),
            (#"{"generation":1,"offset":3}"#, "consumer"), (#"{\#(holder),"offset":0}"#, "offset"),
            (#"{\#(holder),"offset":"3"}"#, "offset"), (#"{\#(holder),"offset":null}"#, "offset"),
            (#"{"consumer":"a","generation":-1,"offset":3}"#, "generation"),
            (#"{"consumer":"a","generation":"1","offset":3}"#, "generation"), (#"{\#(holder),"offset":3,"x":1}"#, "x"),
        ]
        let seeks: [(String, String)] = [
            ("{}", "offset"), (#"{"offset":0}"#, "offset"), (#"{"offset":"first"}"#, "offset"),
            (#"{"offset":null}"#, "offset"), (#"{"offset":1.5}"#, "offset"), (#"{"offset":1,"x":1}"#, "x"),
        ]
        let releases: [(String, String)] = [
            (#"{"consumer":"a"}"#, "generation"), (#"{"generation":1}"#, "consumer"), (#"{\#(holder),"x":1}"#, "x"),
        ]
        let creations: [(String, String)] = [
            (#"{"start":0}"#, "start"), (#"{"start":null}"#, "start"), (#"{"x":1}"#, "x"), ("[]", "body"),
        ]
        var all: [GroupRefusal] = []
        for (action, bodies) in [("receive", receives), ("ack", acks), ("seek", seeks), ("release", releases)] {
            all += bodies.map { GroupRefusal(action: action, $0.0, .invalidParameter($0.1)) }
            all.append(GroupRefusal(action: action, "", ExpectedProblem(400, "body_required")))
            all.append(GroupRefusal(action: action, "{", .invalidJSON(at: 1)))
        }
        all += creations.map {
            GroupRefusal(.put, "/topics/orders/groups/other", body: $0.0, .invalidParameter($0.1))
        }
        all.append(GroupRefusal(.delete, "/topics/orders/groups/workers", body: "{}", .invalidParameter("body")))
        return all
    }

    private static var offsets: [GroupRefusal] {
        let beyond = ExpectedProblem(416, "offset_beyond_end", ["end_offset": "4"])
        return [
            GroupRefusal(action: "ack", #"{"consumer":"a","generation":1,"offset":1}"#, .invalidParameter("offset")),
            GroupRefusal(action: "ack", #"{"consumer":"a","generation":1,"offset":5}"#, .invalidParameter("offset")),
            GroupRefusal(
                action: "ack", #"{"consumer":"a","generation":1,"offset":9223372036854775807}"#,
                .invalidParameter("offset")),
            GroupRefusal(action: "seek", #"{"offset":5}"#, beyond),
            GroupRefusal(action: "seek", #"{"offset":9223372036854775807}"#, beyond),
            GroupRefusal(.put, "/topics/orders/groups/other", body: #"{"start":5}"#, beyond),
        ]
    }

    private static var leases: [GroupRefusal] {
        let lost = ExpectedProblem(409, "lease_lost")
        return [
            GroupRefusal(
                action: "receive", #"{"consumer":"b"}"#, ExpectedProblem(409, "lease_held", ["expires_at": "T"])),
            GroupRefusal(
                action: "receive", #"{"consumer":"b","wait":1}"#,
                ExpectedProblem(409, "lease_held", ["expires_at": "T"])),
            GroupRefusal(action: "ack", #"{"consumer":"b","generation":1,"offset":3}"#, lost),
            GroupRefusal(action: "ack", #"{"consumer":"a","generation":0,"offset":3}"#, lost),
            GroupRefusal(action: "ack", #"{"consumer":"a","generation":2,"offset":3}"#, lost),
            GroupRefusal(action: "release", #"{"consumer":"b","generation":1}"#, lost),
            GroupRefusal(action: "release", #"{"consumer":"a","generation":0}"#, lost),
            GroupRefusal(action: "release", #"{"consumer":"a","generation":9223372036854775807}"#, lost),
        ]
    }

    private static var absent: [GroupRefusal] {
        let bodies = [
            ("ack", #"{"consumer":"a","generation":1,"offset":3}"#), ("release", #"{"consumer":"a","generation":1}"#),
            ("seek", #"{"offset":1}"#),
        ]
        let noGroup = ExpectedProblem(404, "group_not_found")
        let noTopic = ExpectedProblem(404, "topic_not_found")
        var all: [GroupRefusal] = [
            GroupRefusal(.post, "/topics/none/groups/workers/receive", body: #"{"consumer":"a"}"#, noTopic),
            GroupRefusal(.get, "/topics/orders/groups/none", noGroup),
            GroupRefusal(.delete, "/topics/orders/groups/none", noGroup),
            GroupRefusal(.get, "/topics/none/groups/workers", noTopic),
            GroupRefusal(.delete, "/topics/none/groups/workers", noTopic),
            GroupRefusal(.put, "/topics/none/groups/workers", noTopic),
            GroupRefusal(.get, "/topics/none/groups", noTopic),
        ]
        for (action, body) in bodies {
            all.append(GroupRefusal(.post, "/topics/orders/groups/none/\(action)", body: body, noGroup))
            all.append(GroupRefusal(.post, "/topics/none/groups/workers/\(action)", body: body, noTopic))
        }
        return all
    }

    private static var paths: [GroupRefusal] {
        let group = "/topics/orders/groups/workers"
        var all: [GroupRefusal] = []
        for name in ["a%20b", ".", "..", "%C3%A9", String(repeating: "x", count: 250)] {
            let path = "/topics/orders/groups/\(name)"
            all.append(GroupRefusal(.get, path, .invalidParameter("group")))
            all.append(GroupRefusal(.put, path, .invalidParameter("group")))
            all.append(GroupRefusal(.post, path + "/receive", body: #"{"consumer":"a"}"#, .invalidParameter("group")))
        }
        all += [
            GroupRefusal(.get, "/topics/a%20b/groups", ExpectedProblem(400, "invalid_topic")),
            GroupRefusal(.get, "/topics/a%20b/groups/g", ExpectedProblem(400, "invalid_topic")),
            GroupRefusal(.get, group + "?x=1", .invalidParameter("x")),
            GroupRefusal(.delete, group + "?x=1", .invalidParameter("x")),
            GroupRefusal(.post, group + "/receive?limit=1", body: #"{"consumer":"a"}"#, .invalidParameter("limit")),
            GroupRefusal(.get, "/topics/orders/groups?limit=0", .invalidParameter("limit")),
            GroupRefusal(.get, "/topics/orders/groups?limit=1001", .invalidParameter("limit")),
            GroupRefusal(.get, "/topics/orders/groups?cursor=a%20b", .invalidParameter("cursor")),
            GroupRefusal(.get, "/topics/orders/groups?prefix=a", .invalidParameter("prefix")),
            GroupRefusal(.post, group + "/commit", body: "{}", ExpectedProblem(404, "not_found")),
        ]
        return all
    }

    private static var methods: [GroupRefusal] {
        let notAllowed = ExpectedProblem(405, "method_not_allowed")
        let group = "/topics/orders/groups/workers"
        var all: [GroupRefusal] = []
        for method in [HTTPRequest.Method.post, .put, .delete] {
            all.append(GroupRefusal(method, "/topics/orders/groups", allow: "GET, HEAD, OPTIONS", notAllowed))
        }
        for method in [HTTPRequest.Method.post, .patch] {
            all.append(GroupRefusal(method, group, allow: "GET, PUT, DELETE, HEAD, OPTIONS", notAllowed))
        }
        for action in ["receive", "ack", "release", "seek"] {
            for method in [HTTPRequest.Method.get, .put, .delete] {
                all.append(GroupRefusal(method, "\(group)/\(action)", allow: "POST, OPTIONS", notAllowed))
            }
        }
        return all
    }
}
