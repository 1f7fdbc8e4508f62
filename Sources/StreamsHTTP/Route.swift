import HTTPTypes
import StreamsModel

/// The paths of the API.
enum Route: Equatable {
    case root
    case health
    case metrics
    case topics
    case topic(TopicName)
    case trim(TopicName)
    case branches(TopicName)
    case produce(TopicName)
    case consume(TopicName)
    case groups(GroupRoute)
    case fence(TopicName)

    /// Finds the route of a path.
    ///
    /// - Throws: `not_found`, `invalid_topic`, `invalid_parameter`.
    init(_ path: [String]) throws(StreamsError) {
        switch (path.count, path.first) {
        case (0, _): self = .root
        case (1, "health"): self = .health
        case (1, "metrics"): self = .metrics
        case (1, "topics"): self = .topics
        case (2, "topics"): self = .topic(try TopicName(path[1]))
        case (3, "topics") where path[2] == "trim": self = .trim(try TopicName(path[1]))
        case (3, "topics") where path[2] == "branches": self = .branches(try TopicName(path[1]))
        case (3, "topics") where path[2] == "produce": self = .produce(try TopicName(path[1]))
        case (3, "topics") where path[2] == "fence": self = .fence(try TopicName(path[1]))
        case (3, "topics") where path[2] == "consume": self = .consume(try TopicName(path[1]))
        case (3..., "topics") where path[2] == "groups":
            guard let route = try GroupRoute(path) else { throw .noSuchPath }
            self = .groups(route)
        default: throw .noSuchPath
        }
    }

    /// The methods that the path takes, HEAD and OPTIONS aside.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .root, .health, .metrics, .topics, .consume: [.get]
        case .topic: [.get, .put, .delete]
        case .fence: [.put]
        case .produce, .trim, .branches: [.post]
        case .groups(let route): route.methods
        }
    }

    /// The route's name in metrics, without what clients choose.
    var label: String {
        switch self {
        case .root: "/"
        case .health: "/health"
        case .metrics: "/metrics"
        case .topics: "/topics"
        case .topic: "/topics/{topic}"
        case .trim: "/topics/{topic}/trim"
        case .branches: "/topics/{topic}/branches"
        case .produce: "/topics/{topic}/produce"
        case .fence: "/topics/{topic}/fence"
        case .consume: "/topics/{topic}/consume"
        case .groups(let route): route.label
        }
    }
}

extension StreamsError {
    /// Nothing is at the path.
    fileprivate static let noSuchPath = StreamsError(
        .notFound, "There is no such path; see POST /topics/{topic}/produce and GET /topics/{topic}/consume.")
}
