/// Whether a byte can be part of a Swift identifier.
func isIdentifierByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...0xFF:
        true
    default:
        false
    }
}

extension String {
    /// Whether `words` occur, with no identifier that only begins before them or goes on after them.
    func containsWords(_ words: String) -> Bool {
        let text = Array(utf8)
        let pattern = Array(words.utf8)
        guard let first = pattern.first, let last = pattern.last, text.count >= pattern.count else { return false }
        for start in 0...(text.count - pattern.count) where text[start] == first {
            let end = start + pattern.count
            guard text[start..<end].elementsEqual(pattern) else { continue }
            if isIdentifierByte(first), start > 0, isIdentifierByte(text[start - 1]) { continue }
            if isIdentifierByte(last), end < text.count, isIdentifierByte(text[end]) { continue }
            return true
        }
        return false
    }
}
