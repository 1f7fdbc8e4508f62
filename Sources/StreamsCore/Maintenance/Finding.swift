package import StreamsModel

/// Something in a store that is not as it must be, or will not stay as it is.
package struct Finding: Sendable, Equatable {
    /// What kind of thing.
    package enum Kind: String, Sendable, CaseIterable {
        /// Nothing is stored where something was claimed long ago.
        case gap
        /// Nothing is stored where something was claimed a short while ago: it may still come.
        case unfinished
        /// Two segments cover one offset, and neither holds the other.
        case overlap
        /// A segment is held by another one that it was merged into: maintenance deletes it.
        case leftover
        /// A segment contradicts itself.
        case segment
        /// A segment can not be read.
        case unreadable
        /// The counter lies below what is stored.
        case counterBehind = "counter behind"
        /// Segments of a topic that has no item.
        case noItem = "no item"
        /// The topic is closed until its counter is recovered.
        case closed
        /// An item contradicts itself, or belongs to nothing.
        case item
        /// The data file itself is damaged.
        case file
    }

    /// What kind of thing.
    package var kind: Kind
    /// The topic; `nil` where it is none of one topic.
    package var topic: TopicName?
    /// Where, as far as it is at one offset.
    package var offset: Offset?
    /// What was found, as a sentence.
    package var text: String

    /// Makes a finding.
    package init(_ kind: Kind, of topic: TopicName?, at offset: Offset? = nil, _ text: String) {
        self.kind = kind
        self.topic = topic
        self.offset = offset
        self.text = text
    }

    /// Whether the store is inconsistent; the rest passes by itself, or by maintenance.
    package var isError: Bool {
        switch kind {
        case .unfinished, .leftover, .closed: false
        case .gap, .overlap, .segment, .unreadable, .counterBehind, .noItem, .item, .file: true
        }
    }

    /// The finding as one line.
    package var line: String {
        let place = [topic.map { "topic \($0)" }, offset.map { "offset \($0)" }].compactMap { $0 }
        return (isError ? "error" : "note") + ": " + (place + [kind.rawValue]).joined(separator: ", ") + ": " + text
    }
}
