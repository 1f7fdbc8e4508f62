/// An element of an XML document, as far as S3's answers need it: names, text and children.
///
/// Attributes, comments, processing instructions and document types are passed over, entities are the five of XML
/// and character references. Whatever bytes come in, reading them ends with an element or with `nil`.
struct XMLElement: Equatable {
    /// The name, without its namespace's prefix.
    var name: String
    /// The text directly in the element, entities resolved.
    var text = ""
    /// The elements in it, in order.
    var children: [XMLElement] = []

    /// The elements in it of one name.
    func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The text of the first element in it of that name.
    subscript(name: String) -> String? { children.first { $0.name == name }?.text }

    /// Reads a document; `nil` where it is not well-formed, or nested deeper than any answer of S3.
    static func parse(_ bytes: [UInt8]) -> XMLElement? {
        var reader = XMLReader(bytes)
        return reader.document()
    }

    /// Text that can stand in an element.
    ///
    /// Control characters become references: as they are, a reader would change or refuse them.
    static func escaped(_ text: String) -> String {
        var escaped: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): escaped += Array("&lt;".utf8)
            case UInt8(ascii: ">"): escaped += Array("&gt;".utf8)
            case UInt8(ascii: "&"): escaped += Array("&amp;".utf8)
            case 0..<32, 127: escaped += Array("&#\(byte);".utf8)
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
