/// What maintenance did, and what it left.
package struct MaintenanceReport: Sendable, Equatable {
    /// What was looked at, at one moment.
    package struct Stock: Sendable, Equatable {
        /// Segments, fillers among them.
        package var segments = 0
        /// The size of their bodies.
        package var bytes = 0
        /// Messages in them.
        package var messages = 0

        /// How many requests a reader makes who reads all of it, a thousand messages at a time: one to the table and one
        /// list a page, and one get a segment.
        package var catchUp: CatchUp {
            let pages = max(1, (messages + CatchUp.pageMessages - 1) / CatchUp.pageMessages)
            return CatchUp(heads: pages, lists: pages, gets: segments)
        }

        static func + (left: Stock, right: Stock) -> Stock {
            Stock(
                segments: left.segments + right.segments, bytes: left.bytes + right.bytes,
                messages: left.messages + right.messages)
        }
    }

    /// The requests of a reader who reads everything.
    package struct CatchUp: Sendable, Equatable {
        /// How many messages such a reader asks for at once.
        package static let pageMessages = 1000

        /// Reads of the topic's item.
        package var heads: Int
        /// Lists.
        package var lists: Int
        /// Gets of segments.
        package var gets: Int

        /// All of them.
        package var requests: Int { heads + lists + gets }
    }

    /// How many topics were looked at.
    package var topics = 0
    /// What was looked at, as it was found.
    package var before = Stock()
    /// The same afterwards.
    package var after = Stock()
    /// Segments that were written for several.
    package var merges = 0
    /// Holes that were closed.
    package var holesClosed = 0
    /// Topics that were trimmed since their own settings keep no more.
    package var trimmedBySettings = 0
    /// Segments deleted that were trimmed.
    package var trimmedDeleted = 0
    /// What is wrong with what is stored: it was left as it is.
    package var defects: [String] = []
    /// What was not done, and why: one sentence each.
    package var unfinished: [String] = []

    /// Nothing done yet.
    package init() {}

    /// Whether all that there was to do is done.
    package var isComplete: Bool { unfinished.isEmpty && defects.isEmpty }

    mutating func add(_ other: MaintenanceReport) {
        topics += other.topics
        before = before + other.before
        after = after + other.after
        merges += other.merges
        holesClosed += other.holesClosed
        trimmedBySettings += other.trimmedBySettings
        trimmedDeleted += other.trimmedDeleted
        defects += other.defects
        unfinished += other.unfinished
    }
}
