import Foundation
import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsHTTP
import StreamsModel
import StreamsTesting
import Testing

/// Random requests against the whole API.
///
/// `FUZZ_SECONDS` sets how long, `FUZZ_SEED` repeats a run.
@Suite("The HTTP API under random requests")
struct HandlerFuzzTests {
    @Test("answers success or a problem with a known code, and never blames itself")
    func answersEverything() async throws {
        let environment = ProcessInfo.processInfo.environment
        let seed = environment["FUZZ_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0...UInt64.max)
        let seconds = environment["FUZZ_SECONDS"].flatMap(Double.init) ?? 2
        print("HTTP API fuzzing: FUZZ_SEED=\(seed)")
        var fuzzer = RequestFuzzer(json: RandomJSON(random: SplitMix64(seed: seed)))
        let deadline = ContinuousClock.now + .seconds(seconds)
        var statuses: [Int: Int] = [:]
        var requests = 0
        while ContinuousClock.now < deadline || requests < 2000 {
            // A new store now and then, so that topics stay small.
            try await InProcessAPI.with { configuration in
                configuration.limits.wait = .milliseconds(2)
                configuration.limits.messageBytes = 200
                configuration.limits.requestBodyBytes = 2000
            } _: { api in
                for _ in 0..<500 {
                    let request = fuzzer.next()
                    let answer = try await api.answer(request) { _ in true }
                    check(answer, to: request, seed: seed)
                    statuses[answer.status.code, default: 0] += 1
                    requests += 1
                }
            }
        }
        let counts = statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        print("HTTP API fuzzing: \(requests) requests, \(counts)")
        // Were all requests of one sort, the run would show nothing.
        #expect((statuses[200] ?? 0) > requests / 20 && (statuses[200] ?? 0) < requests * 3 / 4)
    }

    private func check(_ answer: HTTPAnswer, to request: APIRequest, seed: UInt64) {
        guard let complaint = complaint(about: answer, to: request) else { return }
        let body = String(decoding: request.body, as: UTF8.self).debugDescription
        let sent = "\(request.method) \(request.target.debugDescription) \(request.headers) \(body)"
        Issue.record("\(complaint); FUZZ_SEED=\(seed): \(sent) -> \(answer.status): \(answer.text)")
    }

    /// What is wrong with an answer, if anything.
    private func complaint(about answer: HTTPAnswer, to request: APIRequest) -> String? {
        guard answer.headers[.accessControlAllowOrigin] == "*" else { return "no field for other origins" }
        switch answer.status.code {
        case 200, 201, 204: return complaint(aboutSuccess: answer)
        case 400..<500: break
        default: return "not a status that input can cause"
        }
        guard answer.headers[.contentType] == "application/problem+json" else { return "not a problem document" }
        if request.method == .head { return nil }
        guard let problem = try? JSONDecoder().decode(Problem.self, from: Data(answer.body)) else {
            return "not all members of a problem"
        }
        guard problem.status == answer.status.code, problem.type == "about:blank" else { return "members differ" }
        guard ErrorCode(rawValue: problem.code)?.status.code == problem.status else { return "not a known code" }
        guard !problem.detail.isEmpty, !problem.title.isEmpty else { return "no words" }
        return answer.body.count < 4000 ? nil : "a very long problem"
    }

    private func complaint(aboutSuccess answer: HTTPAnswer) -> String? {
        guard answer.headers[.contentType] == "application/json", !answer.body.isEmpty else { return nil }
        // Payloads may hold numbers and escapes that Foundation refuses, so our own scanner reads the document.
        var scanner = JSONScanner(end: answer.body.count, nestingMaximum: 200)
        let isJSON = (try? scanner.value(in: answer.body.span)) != nil && scanner.position == answer.body.count
        return isJSON && !answer.body.contains(UInt8(ascii: "\n")) ? nil : "not one line of JSON"
    }

    private struct Problem: Decodable {
        var type: String
        var title: String
        var status: Int
        var detail: String
        var code: String
    }
}

/// Makes requests near to good ones.
private struct RequestFuzzer {
    var json: RandomJSON

    private static let segments = [
        "topics", "orders", "a", "b", "produce", "consume", "health", "metrics", "v1", "v2", "", ".", "..", "%2e",
        "%6frders",
        "%zz", "a%20b", "é", "%C3%A9", "%ff", "*", String(repeating: "x", count: 250),
    ]
    private static let names = [
        "offset", "since", "limit", "max_bytes", "wait", "on_trimmed", "prefix", "cursor", "x", "", "%6fffset", "%",
    ]
    private static let values = [
        "1", "2", "5", "earliest", "latest", "error", "0", "-1", "", "9223372036854775807", "9223372036854775808",
        "0.001",
        ".001", "1e3", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00", "a", "orders", "%31", "%ff", "+1", "10000",
        "1970-01-01T00:00:00.5%2B01:00", "0000-01-01T00:00:00-23:59", "20", "0002", "é",
    ]
    private static let accepts = [
        "application/json", "application/x-ndjson", "text/event-stream", "*/*", "text/html", "", ",;q=,",
        "application/*;q=0",
        "application/json;q=0.1, application/jsonl", "a;q=1e999", "*/*;q=-0",
    ]
    private static let contentTypes = [
        "application/json", "application/x-ndjson", "application/jsonl", "text/plain", "", ";", "text/event-stream",
    ]
    private static let tokens = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "null", "1", "-", "e", "\n", "\r", "\t", " ", "\0",
        "\u{FEFF}",
        "\"payload\":1", "\"messages\":[]", "\"key\":\"a\"", "\"headers\":{}", "\"x\":", "{\"payload\":2}",
    ]

    mutating func next() -> APIRequest {
        var request = json.random.happens(percent: 55) ? goodRequest() : randomRequest()
        if json.random.happens(percent: 30) { request.target = mutated(request.target) }
        if json.random.happens(percent: 20) { request.headers[.accept] = json.pick(Self.accepts) }
        if json.random.happens(percent: 10) { request.headers[.contentType] = json.pick(Self.contentTypes) }
        if json.random.happens(percent: 3) { request.headers[.contentEncoding] = json.pick(["gzip", "identity", ""]) }
        if json.random.happens(percent: 5), let name = HTTPField.Name("Last-Event-ID") {
            request.headers[name] = json.pick(Self.values)
        }
        for _ in 0..<json.random.next(below: 3) where json.random.happens(percent: 30) { mutate(&request.body) }
        return request
    }

    private mutating func goodRequest() -> APIRequest {
        let topic = json.pick(["orders", "a", "b"])
        switch json.random.next(below: 8) {
        case 0, 1:
            return APIRequest(method: .post, target: "/topics/\(topic)/produce", body: Array(envelope().utf8))
        case 2:
            let lines = (0..<3).map { _ in json.value() }.joined(separator: "\n")
            return APIRequest(
                method: .post, target: "/topics/\(topic)/produce", headers: [.contentType: "application/x-ndjson"],
                body: Array(lines.utf8))
        case 3: return APIRequest(method: .put, target: "/topics/\(topic)")
        case 4: return APIRequest(method: .get, target: "/topics/\(topic)")
        default: return APIRequest(method: .get, target: "/topics/\(topic)/consume?\(query())")
        }
    }

    private mutating func envelope() -> String {
        let message = #"{"payload":\#(json.value()),"key":\#(json.string()),"headers":\#(json.headers())}"#
        return json.random.happens(percent: 50) ? message : #"{"messages":[\#(message),{"payload":\#(json.value())}]}"#
    }

    private mutating func query() -> String {
        (0..<json.random.next(below: 3)).map { _ in json.pick(Self.names) + "=" + json.pick(Self.values) }
            .joined(separator: "&")
    }

    private mutating func randomRequest() -> APIRequest {
        let methods: [HTTPRequest.Method] = [
            .get, .get, .post, .put, .head, .options, .delete, .patch, .trace, .connect,
        ]
        let path = (0..<json.random.next(below: 5)).map { _ in "/" + json.pick(Self.segments) }.joined()
        let query = json.random.happens(percent: 50) ? "?" + query() : ""
        let body = (0..<json.random.next(below: 8)).map { _ in json.pick(Self.tokens) }.joined()
        return APIRequest(method: json.pick(methods), target: path + query, body: Array(body.utf8))
    }

    private mutating func mutated(_ text: String) -> String {
        var bytes = Array(text.utf8)
        mutate(&bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = json.random.next(below: bytes.count + 1)
        let end = min(bytes.count, place + json.random.next(below: 6))
        switch json.random.next(below: 6) {
        case 0: bytes.insert(contentsOf: json.pick(Self.tokens).utf8, at: place)
        case 1: bytes.removeSubrange(place..<end)
        case 2: bytes.insert(contentsOf: bytes[place..<end], at: json.random.next(below: bytes.count + 1))
        case 3 where place < bytes.count: bytes[place] = UInt8(truncatingIfNeeded: json.random.next())
        case 4 where place < bytes.count: bytes[place] ^= 1 << UInt8(json.random.next(below: 8))
        default: bytes.replaceSubrange(place..<end, with: json.pick(["/", "?", "&", "=", "%", "#", ";", "a"]).utf8)
        }
    }
}
