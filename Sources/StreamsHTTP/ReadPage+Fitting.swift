package import StreamsCore
import StreamsModel

extension ReadPage {
    /// The size of bytes inside a JSON string: quotes, backslashes and control characters count twice.
    ///
    /// Exact for JSON text, whose only control characters are tabs and line breaks (RFC 8259 section 2).
    package static func escapedBytes(_ bytes: some Sequence<UInt8>) -> Int {
        var count = 0
        for byte in bytes { count += byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? 2 : 1 }
        return count
    }

    /// As many of the page's messages, from the first on, as fit in `bound` when escaped; at least one.
    package func fitting(escapedBytes bound: Int) -> ReadPage {
        // Escaping doubles at most, so most pages need no look at their bytes.
        guard slices.reduce(0, { $0 + $1.bytes.count }) > bound / 2 else { return self }
        var page = self
        page.slices = []
        var room = bound
        for slice in slices {
            let (count, bytes) = slice.messages(escapedBytes: room, takesFirst: page.slices.isEmpty)
            if count > 0 { page.slices.append(slice.prefix(count)) }
            guard count == slice.range.offsetCount else {
                page.next = slice.range.lowerBound.advanced(by: count)
                return page
            }
            room -= bytes
        }
        return page
    }
}

extension SegmentSlice {
    /// How many messages fit in `room`, and their size, both escaped.
    fileprivate func messages(escapedBytes room: Int, takesFirst: Bool) -> (count: Int, bytes: Int) {
        var count = 0
        var taken = 0
        for line in body[bytes].split(separator: UInt8(ascii: "\n")) {
            let size = ReadPage.escapedBytes(line) + 2
            if taken + size > room, count > 0 || !takesFirst { break }
            taken += size
            count += 1
        }
        return (count, taken)
    }
}
