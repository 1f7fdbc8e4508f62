import StreamsModel

/// Where a topic is read from: a branch from its parent below the fork, and so on down to where it began.
///
/// The views of a topic that is no branch are one: itself.
struct TopicViews {
    /// A range of the topic, and whose segments hold it.
    struct View {
        /// The topic whose segments hold the range.
        let topic: TopicName
        /// The first offset of the range.
        let start: Offset
        /// The end of the range; `nil` for the topic itself, which ends with its head.
        let cut: Offset?
        /// The state of ``topic``; of an ancestor as it was at the time of the fork, where holes are concerned.
        let head: TopicHead
    }

    /// The views, from the lowest offset on without gaps; the last one is the topic itself.
    private(set) var views: [View]
    /// The topic's head, with the first offset that its readers may ask for, wherever it lies.
    private(set) var head: TopicHead

    /// How many topics a topic may descend from.
    static let ancestorMaximum = 16

    init(of topic: TopicName, _ head: TopicHead) {
        views = [View(topic: topic, start: head.branch?.fork ?? .first, cut: nil, head: head)]
        self.head = head
    }

    /// The lowest offset that is viewed so far.
    var start: Offset { views[0].start }

    /// The view that holds an offset: the lowest one for what lies below all.
    func view(at offset: Offset) -> View {
        views.last { $0.start <= offset } ?? views[0]
    }

    /// Adds what lies below: the parent that `point` of the lowest topic so far names, whose head is `parent`.
    ///
    /// Of a parent that is gone (`nil`) nothing can be read any more.
    mutating func descend(to point: BranchPoint, _ parent: TopicHead?, forkedAt time: Timestamp) {
        let cut = min(start, point.fork)
        guard var parent else {
            head.earliest = max(head.earliest, cut)
            return
        }
        if !Mutant.branchIgnoresParentLowMark.isActive {
            head.earliest = max(head.earliest, min(parent.earliest, cut))
        }
        parent.end = point.parentEnd
        parent.lastClaimStart = point.parentClaimStart
        // What was claimed below the fork was claimed before it: how old a hole is does not depend on later claims.
        parent.lastClaimedAt = time
        let lowest = min(parent.branch?.fork ?? .first, cut)
        views.insert(View(topic: point.parent, start: lowest, cut: cut, head: parent), at: 0)
    }
}

extension Log {
    /// Where a topic is read from, as far down as a reader who begins at `start` needs it.
    ///
    /// One strong read of each ancestor that lies on the way, for its low mark: what is trimmed of a parent is trimmed of
    /// its branches.
    /// - Throws: `unavailable`.
    func views(
        of topic: TopicName, _ head: TopicHead, reaching start: ReadRequest.Start
    ) async throws(StreamsError) -> TopicViews {
        var views = TopicViews(of: topic, head)
        var wanted = Offset.first
        switch start {
        case .latest: wanted = head.end
        case .offset(let offset): wanted = offset
        case .earliest, .since: break
        }
        var child = head
        for _ in 0..<TopicViews.ancestorMaximum {
            guard let point = child.branch, wanted < views.start, views.head.earliest < views.start else { break }
            let parent = try await confirmedHead(of: point.parent)
            // An item that came back from a backup knows of no low mark that moved since.
            if let parent, parent.end < point.parentEnd { throw .recovering }
            views.descend(to: point, parent, forkedAt: child.createdAt)
            guard let parent else { break }
            child = parent
        }
        return views
    }
}
