import HTTPTypes
import StreamsModel

/// The paths of the API.
enum Route: Equatable {
    case root
    case health
    case metrics
    case topics
    case topic(TopicName)
    case produce(TopicName)
    case consume(TopicName)
    case fence(TopicName)

    /// Finds the route of a path.
    ///
    /// - Throws: `not_found`, `invalid_topic`.
    init(_ path: [String]) throws(StreamsError) {
        switch (path.count, path.first) {
        case (0, _): self = .root
        case (1, "health"): self = .health
        case (1, "metrics"): self = .metrics
        case (1, "topics"): self = .topics
        case (2, "topics"): self = .topic(try TopicName(path[1]))
        case (3, "topics") where path[2] == "produce": self = .produce(try TopicName(path[1]))
        case (3, "topics") where path[2] == "fence": self = .fence(try TopicName(path[1]))
        case (3, "topics") where path[2] == "consume": self = .consume(try TopicName(path[1]))
        default:
            throw StreamsError(
                .notFound, "There is no such path; see POST /topics/{topic}/produce and GET /topics/{topic}/consume.")
        }
    }

    /// The methods that the path takes, HEAD and OPTIONS aside.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .root, .health, .metrics, .topics, .consume: [.get]
        case .topic: [.get, .put]
        case .fence: [.put]
        case .produce: [.post]
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
        case .produce: "/topics/{topic}/produce"
        case .fence: "/topics/{topic}/fence"
        case .consume: "/topics/{topic}/consume"
        }
    }
}
