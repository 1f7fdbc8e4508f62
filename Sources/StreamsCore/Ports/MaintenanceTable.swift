package import StreamsModel

/// What maintenance keeps of a topic in its item: hints, which cost work where they are lost, and nothing else.
package protocol MaintenanceTable: Sendable {
    /// What is noted of a topic; `nil` where there is no item, or nothing to maintain.
    func upkeep(of topic: TopicName) async throws(StoreError) -> TopicUpkeep?

    /// Notes how far maintenance has come with a topic; what is `nil` stays as it is.
    ///
    /// Nothing happens where there is no item. A late or a repeated note does no harm.
    func note(_ note: UpkeepNote, of topic: TopicName) async throws(StoreError)
}

extension MaintenanceTable {
    /// Nothing is noted.
    package func upkeep(of topic: TopicName) async throws(StoreError) -> TopicUpkeep? { nil }

    /// Notes nothing.
    package func note(_ note: UpkeepNote, of topic: TopicName) async throws(StoreError) {}
}

/// What a topic's item says for maintenance.
package struct TopicUpkeep: Sendable, Equatable {
    /// Below this offset an explicit trim has let everything go; `nil` where there was none.
    package var trimmedBefore: Offset?
    /// When that was last moved, where known.
    package var trimmedAt: Timestamp?
    /// What maintenance has noted so far.
    package var noted = UpkeepNote()

    /// Makes a state.
    package init(trimmedBefore: Offset? = nil, trimmedAt: Timestamp? = nil, noted: UpkeepNote = UpkeepNote()) {
        self.trimmedBefore = trimmedBefore
        self.trimmedAt = trimmedAt
        self.noted = noted
    }

    /// Up to where what stands may be deleted: what was trimmed at least `age` before `now`, so that nothing is on its
    /// way there any more.
    ///
    /// A topic that is trimmed again and again has a recent ``trimmedAt`` for ever: there the note counts.
    package func deletableBelow(at now: Timestamp, age: Duration) -> Offset? {
        if let trimmedBefore, let trimmedAt, trimmedAt.duration(to: now) >= age { return trimmedBefore }
        guard let seen = noted.trimSeen, seen.at.duration(to: now) >= age else { return nil }
        return seen.before
    }
}

/// What maintenance notes of a topic.
package struct UpkeepNote: Sendable, Equatable {
    /// A low mark by an explicit trim, and when it was seen.
    package struct TrimSeen: Sendable, Equatable {
        /// The first offset that was kept.
        package var before: Offset
        /// When that was seen.
        package var at: Timestamp

        /// Makes a sighting.
        package init(before: Offset, at: Timestamp) {
            self.before = before
            self.at = at
        }
    }

    /// Below this offset there are neither holes nor segments that are worth merging.
    package var compactedBelow: Offset?
    /// The last trim that was seen and not carried out yet.
    package var trimSeen: TrimSeen?

    /// Makes a note.
    package init(compactedBelow: Offset? = nil, trimSeen: TrimSeen? = nil) {
        self.compactedBelow = compactedBelow
        self.trimSeen = trimSeen
    }

    /// Whether there is anything to note.
    package var isEmpty: Bool { compactedBelow == nil && trimSeen == nil }
}
