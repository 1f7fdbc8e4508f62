import StreamsCore
import StreamsHTTP
import Synchronization

/// Collects a stream of events into one answer, as many whole events as fit.
final class EventBuffer: ResponseSink {
    /// There is no room for the next event: the answer ends before it, and the browser asks for it.
    struct Full: Error {}

    private struct State {
        var bytes: [UInt8] = []
        var escapedBytes = 0
    }

    private let escapedBytesMaximum: Int
    private let state = Mutex(State())

    init(escapedBytesMaximum: Int) {
        self.escapedBytesMaximum = escapedBytesMaximum
    }

    /// What was collected.
    var bytes: [UInt8] { state.withLock { $0.bytes } }

    func write(_ bytes: [UInt8]) async throws {
        try state.withLock { state in
            var rest = bytes[...]
            while !rest.isEmpty {
                let event = rest.prefix(Self.lengthOfEvent(in: rest))
                let size = ReadPage.escapedBytes(event)
                guard state.escapedBytes + size <= escapedBytesMaximum else { throw Full() }
                state.bytes.append(contentsOf: event)
                state.escapedBytes += size
                rest = rest.dropFirst(event.count)
            }
        }
    }

    /// An event ends with an empty line (HTML standard, section 9.2.5).
    private static func lengthOfEvent(in bytes: ArraySlice<UInt8>) -> Int {
        var previous: UInt8 = 0
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n"), previous == byte { return index + 1 }
            previous = byte
        }
        return bytes.count
    }
}
