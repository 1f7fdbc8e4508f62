import FoundationEssentials
import StreamsAWS
import StreamsCore
import StreamsModel

/// Performs the calls of the clients.
struct ProbeCalls {
    let s3: S3Client
    let dynamoDB: DynamoDBClient

    func answer(_ request: ProbeRequest) async -> ProbeAnswer {
        let before = s3.connection.counters.snapshot
        var answer: ProbeAnswer
        do throws(AWSError) {
            if let fromS3 = try await s3Answer(request) {
                answer = fromS3
            } else {
                answer = try await dynamoDBAnswer(request)
            }
        } catch {
            answer = ProbeAnswer(error: error)
        }
        answer.requests = s3.connection.counters.snapshot.since(before).requests
        return answer
    }

    private func deadline(_ request: ProbeRequest) -> Duration? {
        request.timeoutMilliseconds.map { s3.connection.clock.uptime() + .milliseconds($0) }
    }

    private func s3Answer(_ request: ProbeRequest) async throws(AWSError) -> ProbeAnswer? {
        var answer = ProbeAnswer()
        let key = request.key ?? ""
        switch request.call {
        case "putObject": try await put(request, &answer)
        case "getObject":
            let object = try await s3.getObject(key, deadline: deadline(request))
            fill(&answer, object?.head)
            answer.body = object.map { Data($0.body) }
        case "headObject": fill(&answer, try await s3.headObject(key, deadline: deadline(request)))
        case "listObjects":
            let list = try await s3.listObjects(
                prefix: request.prefix ?? "", startAfter: request.startAfter,
                maxKeys: request.maxKeys ?? S3Client.objectsPerCall, deadline: deadline(request))
            answer.keys = list.entries.map(\.key)
            answer.isTruncated = list.isTruncated
        case "deleteObject":
            let isDone = try await s3.deleteObject(key, ifMatch: request.etag, deadline: deadline(request))
            answer.outcome = isDone ? "deleted" : "conditionFailed"
        case "deleteObjects":
            answer.keys = try await s3.deleteObjects(request.keys ?? [], deadline: deadline(request)).map(\.key)
        default: return nil
        }
        return answer
    }

    private func put(_ request: ProbeRequest, _ answer: inout ProbeAnswer) async throws(AWSError) {
        let metadata = (request.metadata ?? []).map { (name: $0[0], value: $0[1]) }
        let condition: S3WriteCondition =
            request.ifNoneMatch == true ? .ifNoneMatch : request.etag.map { .ifMatch($0) } ?? .none
        let outcome = try await s3.putObject(
            request.key ?? "", body: Array(request.body ?? Data()),
            contentType: request.contentType ?? "application/x-ndjson", metadata: metadata, condition: condition,
            signedAt: request.at.map { Timestamp(milliseconds: $0) }, deadline: deadline(request))
        switch outcome {
        case .stored(let etag):
            answer.outcome = "stored"
            answer.etag = etag
        case .conditionFailed: answer.outcome = "conditionFailed"
        }
    }

    private func fill(_ answer: inout ProbeAnswer, _ head: S3ObjectHead?) {
        answer.outcome = head == nil ? "missing" : "found"
        answer.etag = head?.etag
        answer.metadata = head?.metadata
        answer.bodyBytes = head?.bodyBytes
        answer.lastModified = head?.lastModified?.milliseconds
    }

    private func dynamoDBAnswer(_ request: ProbeRequest) async throws(AWSError) -> ProbeAnswer {
        var answer = ProbeAnswer()
        let item = request.item ?? [:]
        let condition = request.condition.map {
            DynamoDBCondition($0, names: request.names ?? [:], values: request.values ?? [:])
        }
        switch request.call {
        case "getItem":
            answer.item = try await dynamoDB.getItem(item, deadline: deadline(request))
            answer.outcome = answer.item == nil ? "missing" : "found"
        case "putItem":
            let outcome = try await dynamoDB.putItem(
                item, condition: condition, returnsOld: true, deadline: deadline(request))
            fill(&answer, outcome)
        case "deleteItem":
            let outcome = try await dynamoDB.deleteItem(
                item, condition: condition, returnsOld: true, deadline: deadline(request))
            fill(&answer, outcome)
        case "updateItem":
            let update = DynamoDBUpdate(
                key: item, update: request.update ?? "", condition: request.condition, names: request.names ?? [:],
                values: request.values ?? [:],
                returnValues: request.returnValues.flatMap { DynamoDBReturnValues(rawValue: $0) } ?? .none)
            fill(&answer, try await dynamoDB.updateItem(update, deadline: deadline(request)))
        case "query":
            let query = DynamoDBQuery(
                index: request.index, keyCondition: request.condition ?? "", names: request.names ?? [:],
                values: request.values ?? [:], limit: request.maxKeys, exclusiveStartKey: request.exclusiveStartKey,
                isForward: request.isForward ?? true)
            let page = try await dynamoDB.query(query, deadline: deadline(request))
            answer.items = page.items
            answer.lastEvaluatedKey = page.lastEvaluatedKey
        default: answer.outcome = "no such call: \(request.call)"
        }
        return answer
    }

    private func fill(_ answer: inout ProbeAnswer, _ outcome: DynamoDBWriteOutcome) {
        switch outcome {
        case .done(let attributes):
            answer.outcome = "done"
            answer.item = attributes
        case .conditionFailed(let item):
            answer.outcome = "conditionFailed"
            answer.item = item
        }
    }
}
