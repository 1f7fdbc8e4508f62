import HTTPTypes
import StreamsCore
import StreamsModel

/// The paths of consumer groups: what follows `/topics/{topic}/groups`.
enum GroupRoute: Equatable {
    case list(TopicName)
    case group(GroupKey)
    case receive(GroupKey)
    case ack(GroupKey)
    case release(GroupKey)
    case seek(GroupKey)

    /// Finds the route of a path whose third segment is `groups`; `nil` where there is none.
    ///
    /// - Throws: `invalid_topic`, `invalid_parameter`.
    init?(_ path: [String]) throws(StreamsError) {
        if path.count == 3 {
            self = .list(try TopicName(path[1]))
            return
        }
        let action = path.count > 4 ? path[4] : ""
        let isKnown = path.count == 4 || path.count == 5 && ["receive", "ack", "release", "seek"].contains(action)
        guard isKnown else { return nil }
        let key = GroupKey(topic: try TopicName(path[1]), name: try GroupName(path[3]))
        switch action {
        case "receive": self = .receive(key)
        case "ack": self = .ack(key)
        case "release": self = .release(key)
        case "seek": self = .seek(key)
        default: self = .group(key)
        }
    }

    /// The methods that the path takes, HEAD and OPTIONS aside.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .list: [.get]
        case .group: [.get, .put, .delete]
        case .receive, .ack, .release, .seek: [.post]
        }
    }

    /// The route's name in metrics, without what clients choose.
    var label: String {
        switch self {
        case .list: "/topics/{topic}/groups"
        case .group: "/topics/{topic}/groups/{group}"
        case .receive: "/topics/{topic}/groups/{group}/receive"
        case .ack: "/topics/{topic}/groups/{group}/ack"
        case .release: "/topics/{topic}/groups/{group}/release"
        case .seek: "/topics/{topic}/groups/{group}/seek"
        }
    }
}
