extension History {
    /// Something that a consumer of a group did, and was told to have succeeded.
    package struct GroupEvent: Sendable {
        /// What.
        package enum Kind: Sendable, Equatable {
            /// It got what lies between these offsets.
            case received(from: Int64, next: Int64)
            /// Everything below is done.
            case committed(Int64)
            /// It gave the lease up.
            case released
            /// It set the group to an offset.
            case sought(Int64)
            /// It may have set the group somewhere, now or later.
            case soughtPerhaps
        }

        /// Who.
        package var consumer: String
        /// When it began.
        package var begin: Int64
        /// When the answer was there.
        package var end: Int64
        /// The generation that it did so under, or that it began.
        package var generation: Int64
        /// What.
        package var kind: Kind

        /// Makes an event.
        package init(consumer: String, begin: Int64, end: Int64, generation: Int64, kind: Kind) {
            self.consumer = consumer
            self.begin = begin
            self.end = end
            self.generation = generation
            self.kind = kind
        }
    }
}

extension Recorder {
    func note(_ event: History.GroupEvent) {
        trace.note { "\(event.consumer) in generation \(event.generation): \(event.kind)" }
        change { $0.groupEvents.append(event) }
    }
}
