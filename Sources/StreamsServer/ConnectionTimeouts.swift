package import NIOCore

/// How long a connection may keep its socket without getting on.
package struct ConnectionTimeouts: Sendable {
    /// From the opening of the connection, or the last answer, to the end of the next request's header.
    package var idle: TimeAmount = .seconds(60)
    /// From the end of the header to the end of the body.
    package var request: TimeAmount = .seconds(30)
    /// For the client to take what was written.
    package var write: TimeAmount = .seconds(30)
    /// How long the rest of a refused request is read and dropped, so that the client gets to see the refusal.
    package var linger: TimeAmount = .seconds(1)

    /// The usual times.
    package init() {}

    /// How often deadlines are looked at: a quarter of the shortest, so that one timer a connection serves all.
    var checkInterval: TimeAmount {
        let shortest = min(idle, request, write)
        return max(.milliseconds(10), .nanoseconds(shortest.nanoseconds / 4))
    }
}
