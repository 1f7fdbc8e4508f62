import NIOCore
import NIOHTTP1
import StreamsAWS
import StreamsModel

/// A request as the services understand it.
struct SimulatedRequest: Sendable {
    enum Content: Sendable {
        case s3(S3Request)
        case dynamoDB(DynamoDBRequest)
    }

    let content: Content
    /// The time that it carries, which bounds when it is taken.
    let signedAt: Timestamp

    /// Reads a request; `nil` for one that a service would not understand.
    init?(_ request: AWSTransportRequest) {
        guard let signedAt = request.header("x-amz-date").flatMap(HTTPDateText.basic) else { return nil }
        self.signedAt = signedAt
        if request.header("x-amz-target") != nil {
            guard let read = DynamoDBRequest(request) else { return nil }
            content = .dynamoDB(read)
        } else {
            guard let read = S3Request(request) else { return nil }
            content = .s3(read)
        }
    }

    var service: Network.Service {
        switch content {
        case .s3: .s3
        case .dynamoDB: .dynamoDB
        }
    }

    /// Whether it changes anything.
    var isWrite: Bool {
        switch content {
        case .s3(let request):
            switch request.operation {
            case .put, .delete, .deleteAll: true
            case .get, .list: false
            }
        case .dynamoDB(let request): request.operation != "GetItem" && request.operation != "Query"
        }
    }

    var isConditionalPut: Bool {
        guard case .s3(let request) = content else { return false }
        switch request.operation {
        case .put(_, _, let condition): return condition != nil
        case .delete(let etag): return etag != nil
        case .get, .list, .deleteAll: return false
        }
    }

    /// Whether it is a claim that rests on a list which showed that nothing is stored at or above the end.
    var confirmsEnd: Bool {
        guard case .dynamoDB(let request) = content, let update = request.body.updateExpression else { return false }
        return request.body.values?[":confirmed"] != nil || update.contains("#claim = :one")
    }

    func refusal(_ status: Int, s3: String, dynamoDB: String) -> AWSTransportAnswer {
        switch service {
        case .s3: .s3Refusal(status, s3)
        // DynamoDB says with 400 that there are too many requests.
        case .dynamoDB: .dynamoDBRefusal(dynamoDB.hasSuffix("Exception") ? 400 : status, dynamoDB)
        }
    }

    var refusedForItsTime: AWSTransportAnswer {
        switch service {
        case .s3: .s3Refusal(403, "RequestTimeTooSkewed")
        case .dynamoDB:
            .dynamoDBRefusal(400, "InvalidSignatureException", message: "Signature expired: simulated")
        }
    }

    // MARK: For people

    /// What it asks for, short.
    var name: String {
        switch content {
        case .s3(let request):
            let key = request.key.split(separator: "/").last?.prefix(20) ?? ""
            let offset = Int64(key).map { String($0) } ?? request.key
            switch request.operation {
            case .put(let body, let metadata, let condition):
                let first = metadata.first { $0.name == "x-amz-meta-first" }?.value ?? "?"
                let kind = body.isEmpty ? "filler" : "messages"
                return "PUT \(offset) (\(kind) \(first)–\(offset)\(condition == nil ? ", no condition" : ""))"
            case .get: return "GET \(offset)"
            case .delete(let etag): return "DELETE \(offset)\(etag == nil ? " (no condition)" : "")"
            case .deleteAll(let keys): return "DELETE \(keys.count) objects"
            case .list(let list):
                let after = list.continuationToken ?? list.startAfter
                return "LIST after \(after.split(separator: "/").last?.prefix(20).drop { $0 == "0" } ?? "")"
            }
        case .dynamoDB(let request):
            if let group = request.body.item, let committed = group["committed_offset"]?.integer {
                let generation = group["generation"]?.integer ?? 0
                return "PutItem group \(group["removed"] == nil ? "at \(committed)" : "gone") in \(generation)"
            }
            guard let update = request.body.updateExpression else { return request.operation }
            return "\(request.operation) \(Self.purpose(update, request))"
        }
    }

    private static func purpose(_ update: String, _ request: DynamoDBRequest) -> String {
        let names = Set(request.body.names?.values ?? [:].values)
        let count = request.body.values?[":count"]?.integer.map { String($0) } ?? "?"
        if update.contains("#claim = :one") { return "create and claim \(count)" }
        if update.contains("#claim =") { return "claim \(count)" }
        if update.hasPrefix("SET #deleted =") { return "delete" }
        if names.contains("trimmed_at") { return "trim" }
        if names.contains("settings_version") { return "change settings" }
        if names.contains("deleted"), !names.contains("trimmed_before") { return "make again" }
        if names.contains("delivered_offset") { return "commit" }
        if names.contains("fence_count") { return "fence" }
        if names.contains("settled_below"), names.contains("closed_until") { return "reopen" }
        if names.contains("closed_until") { return "close" }
        if names.contains("settled_below") { return "adopt" }
        if names.contains("compacted_below") || names.contains("trim_seen_at") { return "note" }
        return "move low mark"
    }

    /// What was answered, short.
    func summary(of answer: AWSTransportAnswer) -> String {
        switch content {
        case .s3(let request):
            guard (200..<300).contains(answer.status) else { return "\(answer.status)" }
            switch request.operation {
            case .list:
                let text = String(decoding: answer.body, as: UTF8.self)
                let keys = text.split(separator: "<Key>").dropFirst().compactMap {
                    $0.prefix { $0 != "<" }.split(separator: "/").last.flatMap { Int64($0.prefix(20)) }
                }
                return "\(keys)\(text.contains("<IsTruncated>true") ? " and more" : "")"
            case .get: return answer.body.isEmpty ? "a filler" : "messages"
            case .put: return "stored"
            case .delete, .deleteAll: return "deleted"
            }
        case .dynamoDB:
            let text = String(decoding: answer.body, as: UTF8.self)
            guard answer.status == 200 else {
                let code = text.split(separator: "#").dropFirst().first?.prefix { $0 != "\"" } ?? ""
                return "\(answer.status) \(code)"
            }
            let end = text.split(separator: "\"current_offset\":{\"N\":\"").dropFirst().first?.prefix { $0 != "\"" }
            return end.map { "\(isWrite ? "the counter was" : "the counter is") \($0)" } ?? "done"
        }
    }
}

/// Times as they stand in headers.
enum HTTPDateText {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
    static func of(_ time: Timestamp) -> String {
        let civil = CivilTime(time)
        let day = days[Int(time.milliseconds / 86_400_000 % 7)]
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(day), \(two(civil.day)) \(months[civil.month - 1]) \(civil.year) "
            + "\(two(civil.hour)):\(two(civil.minute)):\(two(civil.second)) GMT"
    }

    /// Reads `20150830T123600Z`.
    static func basic(_ text: String) -> Timestamp? {
        let digits = Array(text.utf8)
        guard digits.count == 16 else { return nil }
        func number(_ range: Range<Int>) -> Int? { Int(String(decoding: digits[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15)
        else { return nil }
        return CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)?.timestamp
    }
}
