/// Reads XML from bytes, in one pass and without recursion.
struct XMLReader {
    private let bytes: [UInt8]
    private var position = 0

    /// More than any answer of S3 has.
    private static let depthMaximum = 32

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The root element, when the rest is well-formed too.
    mutating func document() -> XMLElement? {
        var open: [(element: XMLElement, text: [UInt8])] = []
        var root: XMLElement?
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else {
                guard let text = characters(), !open.isEmpty || Self.isBlank(text) else { return nil }
                if !open.isEmpty { open[open.count - 1].text += text }
                continue
            }
            switch markup() {
            case .start(let name, let isEmpty):
                guard root == nil, open.count < Self.depthMaximum else { return nil }
                open.append((XMLElement(name: name), []))
                guard isEmpty else { continue }
                Self.close(&open, &root)
            case .end(let name):
                guard open.last?.element.name == name else { return nil }
                Self.close(&open, &root)
            case .text(let text):
                guard !open.isEmpty else { return nil }
                open[open.count - 1].text += text
            case .nothing: continue
            case .malformed: return nil
            }
        }
        return open.isEmpty ? root : nil
    }

    private static func close(_ open: inout [(element: XMLElement, text: [UInt8])], _ root: inout XMLElement?) {
        guard let (closed, text) = open.popLast() else { return }
        var element = closed
        element.text = String(decoding: text, as: UTF8.self)
        if open.isEmpty { root = element } else { open[open.count - 1].element.children.append(element) }
    }

    private static func isBlank(_ text: [UInt8]) -> Bool {
        // A byte order mark counts as blank: it may stand before the document.
        text.allSatisfy { isSpace($0) || [0xEF, 0xBB, 0xBF].contains($0) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }
}

extension XMLReader {
    private enum Markup {
        case start(name: String, isEmpty: Bool)
        case end(name: String)
        case text([UInt8])
        case nothing
        case malformed
    }

    /// Reads what begins with `<`.
    private mutating func markup() -> Markup {
        if skip("<!--") { return upTo("-->") == nil ? .malformed : .nothing }
        if skip("<![CDATA[") { return upTo("]]>").map { .text(Array($0)) } ?? .malformed }
        if skip("<?") { return upTo("?>") == nil ? .malformed : .nothing }
        // A document type with declarations of its own is never in S3's answers.
        if skip("<!") { return upTo(">").map { $0.contains(UInt8(ascii: "[")) ? .malformed : .nothing } ?? .malformed }
        if skip("</") {
            guard let inside = upTo(">") else { return .malformed }
            let name = Self.localName(inside)
            return name.isEmpty ? .malformed : .end(name: name)
        }
        position += 1
        guard let inside = tag() else { return .malformed }
        let isEmpty = inside.last == UInt8(ascii: "/")
        let name = Self.localName(isEmpty ? inside.dropLast() : inside)
        return name.isEmpty ? .malformed : .start(name: name, isEmpty: isEmpty)
    }

    /// The inside of a start tag: up to a `>` that is not in the value of an attribute.
    private mutating func tag() -> ArraySlice<UInt8>? {
        let start = position
        var quote: UInt8?
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: ">") {
                return bytes[start..<(position - 1)]
            } else if byte == UInt8(ascii: "<") {
                return nil
            }
        }
        return nil
    }

    private static func localName(_ inside: ArraySlice<UInt8>) -> String {
        let name = inside.prefix { !isSpace($0) && $0 != UInt8(ascii: "/") }
        let local = name.lastIndex(of: UInt8(ascii: ":")).map { name[($0 + 1)...] } ?? name
        return String(decoding: local, as: UTF8.self)
    }

    /// The text up to the next markup, entities resolved; `nil` where there is an entity that XML does not have.
    private mutating func characters() -> [UInt8]? {
        var text: [UInt8] = []
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            let byte = bytes[position]
            position += 1
            guard byte == UInt8(ascii: "&") else {
                text.append(byte)
                continue
            }
            let start = position
            // The longest reference is that of the last character, by its decimal number with zeros before it.
            guard let end = bytes[start..<min(start + 12, bytes.count)].firstIndex(of: UInt8(ascii: ";")),
                let resolved = Self.entity(String(decoding: bytes[start..<end], as: UTF8.self))
            else { return nil }
            text += resolved
            position = end + 1
        }
        return text
    }

    private static func entity(_ name: String) -> [UInt8]? {
        switch name {
        case "lt": return Array("<".utf8)
        case "gt": return Array(">".utf8)
        case "amp": return Array("&".utf8)
        case "quot": return Array("\"".utf8)
        case "apos": return Array("'".utf8)
        default: break
        }
        guard name.hasPrefix("#") else { return nil }
        let isHexadecimal = name.hasPrefix("#x") || name.hasPrefix("#X")
        let digits = name.dropFirst(isHexadecimal ? 2 : 1)
        guard digits.first != "+", let value = UInt32(digits, radix: isHexadecimal ? 16 : 10),
            let scalar = Unicode.Scalar(value)
        else { return nil }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        let matches = text.withUTF8Buffer { bytes[position..<(position + count)].elementsEqual($0) }
        if matches { position += count }
        return matches
    }

    /// What comes before `mark`, going past that.
    private mutating func upTo(_ mark: StaticString) -> ArraySlice<UInt8>? {
        let start = position
        while position < bytes.count {
            let end = position
            if skip(mark) { return bytes[start..<end] }
            position += 1
        }
        return nil
    }
}
