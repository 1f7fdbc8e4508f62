import HTTPTypes
import StreamsAPI
import StreamsCore
import StreamsModel

extension StreamsHandler {
    /// Answers a request to a path of consumer groups.
    func group(
        _ route: GroupRoute, _ method: HTTPRequest.Method, _ request: APIRequest, _ query: inout QueryParameters
    ) async throws(StreamsError) -> APIResponse {
        if case .list(let topic) = route { return try await groups(of: topic, &query) }
        try query.finish()
        switch route {
        case .list: throw StreamsError(.notFound, "There is no such path.")
        case .group(let key) where method == .put: return try await createGroup(key, request)
        case .group(let key) where method == .delete:
            try expectNoBody(request)
            try await log.removeGroup(key)
            return APIResponse(status: .noContent)
        case .group(let key): return .json(GroupDocument.status(try await log.groupStatus(key), at: log.now))
        case .receive(let key): return try await receive(key, request)
        case .ack(let key): return try await acknowledge(key, request)
        case .release(let key): return try await release(key, request)
        case .seek(let key): return try await seek(key, request)
        }
    }

    /// `GET /topics/{topic}/groups`: the groups in name order.
    private func groups(of topic: TopicName, _ query: inout QueryParameters) async throws(StreamsError) -> APIResponse {
        let limit = try query.integer("limit", in: 1...1000) ?? 100
        let cursor = query.text("cursor") ?? ""
        guard cursor.isEmpty || (try? GroupName(cursor)) != nil else {
            throw .invalidParameter("cursor", "'cursor' is the next_cursor of an earlier answer.")
        }
        try query.finish()
        let (groups, next) = try await log.groups(of: topic, after: cursor, limit: limit)
        let now = log.now
        var writer = JSONObjectWriter()
        writer.member("groups", json: GroupDocument.list(groups, at: now))
        if let next { writer.member("next_cursor", next.rawValue) }
        return .json(writer.finish())
    }

    /// `PUT …/groups/{group}`: creates a group.
    private func createGroup(_ key: GroupKey, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        var body = try JSONObjectReader(request.body, isOptional: true, limits: configuration.limits)
        let start = try body.place("start") ?? .earliest
        try body.finish()
        let (group, isNew) = try await log.createGroup(key, at: start.groupStart)
        let status = try await log.status(of: group)
        return .json(GroupDocument.status(status, at: log.now), status: isNew ? .created : .ok)
    }

    /// `POST …/receive`: hands messages out under the lease.
    private func receive(_ key: GroupKey, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        let limits = configuration.limits
        var body = try JSONObjectReader(request.body, limits: limits)
        let consumer = try Self.consumer(&body)
        let generation = try body.integer("generation", in: 0...Int64.max).flatMap { Generation($0) }
        let limit = try body.integer("limit", in: 1...Int64(limits.readMessages)) ?? 10
        let wait = try body.seconds("wait", in: 0...Double(limits.wait.wholeMilliseconds) / 1000) ?? .zero
        let lease = try body.integer("lease_seconds", in: 1...limits.leaseSeconds) ?? 30
        try body.finish()
        let received = try await log.receive(
            ReceiveRequest(
                group: key, consumer: consumer, generation: generation, limit: Int(limit),
                bytesMaximum: limits.readBytes, wait: wait,
                lease: .seconds(lease), fit: { fitting($0) }))
        return .json(GroupDocument.received(received))
    }

    /// `POST …/ack`: commits.
    private func acknowledge(_ key: GroupKey, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        var body = try JSONObjectReader(request.body, limits: configuration.limits)
        let (consumer, generation) = try Self.holder(&body)
        guard let offset = try body.integer("offset", in: 1...Int64.max).flatMap({ Offset($0) }) else {
            throw .missingMember("offset")
        }
        try body.finish()
        let group = try await log.acknowledge(key, below: offset, by: consumer, in: generation)
        return .json(GroupDocument.state(group, at: log.now))
    }

    /// `POST …/release`: gives the lease up.
    private func release(_ key: GroupKey, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        var body = try JSONObjectReader(request.body, limits: configuration.limits)
        let (consumer, generation) = try Self.holder(&body)
        try body.finish()
        return .json(GroupDocument.state(try await log.release(key, by: consumer, in: generation), at: log.now))
    }

    /// `POST …/seek`: moves the position.
    private func seek(_ key: GroupKey, _ request: APIRequest) async throws(StreamsError) -> APIResponse {
        var body = try JSONObjectReader(request.body, limits: configuration.limits)
        guard let place = try body.place("offset") else { throw .missingMember("offset") }
        try body.finish()
        return .json(GroupDocument.state(try await log.seek(key, to: place.groupStart), at: log.now))
    }

    // MARK: Members

    func expectNoBody(_ request: APIRequest) throws(StreamsError) {
        guard request.body.isEmpty else { throw .invalidParameter("body", "This request takes no body.") }
    }

    private static func holder(
        _ body: inout JSONObjectReader
    ) throws(StreamsError) -> (consumer: String, generation: Generation) {
        let consumer = try consumer(&body)
        guard let generation = try body.integer("generation", in: 0...Int64.max).flatMap({ Generation($0) }) else {
            throw .missingMember("generation")
        }
        return (consumer, generation)
    }

    private static func consumer(_ body: inout JSONObjectReader) throws(StreamsError) -> String {
        guard let consumer = try body.text("consumer") else { throw .missingMember("consumer") }
        guard (1...255).contains(consumer.utf8.count), consumer.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .invalidParameter(
                "consumer", "'consumer' is a name of 1 to 255 bytes without control characters.")
        }
        return consumer
    }
}

extension JSONObjectReader.Place {
    /// The place as groups know it.
    fileprivate var groupStart: GroupStart {
        switch self {
        case .earliest: .earliest
        case .latest: .latest
        case .offset(let offset): .offset(offset)
        }
    }
}

extension StreamsError {
    /// A member that a body must have.
    fileprivate static func missingMember(_ name: String) -> StreamsError {
        .invalidParameter(name, "The member '\(name)' is missing.")
    }
}
