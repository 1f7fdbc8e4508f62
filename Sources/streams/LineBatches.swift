import Foundation
import StreamsModel

/// Standard input in batches of whole lines: what is there now, up to a bound, so that a slow source is not held back
/// and a fast one is sent in large batches.
struct LineBatches {
    let descriptor: CInt
    /// Whether batches end only at their bounds and at the end of the input, so that equal inputs make equal batches.
    let areFull: Bool
    private var rest: [UInt8] = []
    private var isAtEnd = false

    private static let bytesMaximum = 1024 * 1024
    private static let linesMaximum = 5000

    init(descriptor: CInt, areFull: Bool = false) {
        self.descriptor = descriptor
        self.areFull = areFull
    }

    /// The next lines, or `nil` at the end of the input.
    ///
    /// - Throws: `internal` when the input can not be read.
    mutating func next() throws(StreamsError) -> [UInt8]? {
        while true {
            if let end = completeLines(), !areFull || isAtEnd || isFull(end) {
                defer { rest.removeFirst(end) }
                return Array(rest[..<end])
            }
            if isAtEnd {
                guard !rest.isEmpty else { return nil }
                defer { rest = [] }
                return rest + [UInt8(ascii: "\n")]
            }
            try read()
        }
    }

    /// Where the last of the lines that go into the next batch ends.
    private func completeLines() -> Int? {
        var end: Int?
        var lines = 0
        for (index, byte) in rest.enumerated() where byte == UInt8(ascii: "\n") {
            if end != nil, index >= Self.bytesMaximum { break }
            end = index + 1
            lines += 1
            if lines == Self.linesMaximum { break }
        }
        return end
    }

    /// Whether the lines that end at `end` are as many as a batch takes, whatever follows.
    private func isFull(_ end: Int) -> Bool {
        if rest[..<end].count(where: { $0 == UInt8(ascii: "\n") }) == Self.linesMaximum { return true }
        // The line behind is known to be too much as soon as its end, or so many bytes without one, are there.
        return rest.count > Self.bytesMaximum
    }

    private mutating func read() throws(StreamsError) {
        var failure: CInt = 0
        let chunk = [UInt8](unsafeUninitializedCapacity: Self.bytesMaximum) { buffer, count in
            while true {
                let received = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
                count = max(0, received)
                guard received < 0 else { return }
                switch errno {
                case EINTR: continue
                case EAGAIN, EWOULDBLOCK: waitForInput()
                default:
                    failure = errno
                    return
                }
            }
        }
        guard failure == 0 else {
            throw StreamsError(.internal, "Standard input can not be read: \(String(cString: strerror(failure))).")
        }
        if chunk.isEmpty { isAtEnd = true }
        rest += chunk
    }

    /// Waits where the other end of a pipe has made it non-blocking.
    private func waitForInput() {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&request, 1, -1)
    }
}
