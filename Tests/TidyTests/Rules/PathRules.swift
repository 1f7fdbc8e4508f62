/// What is written here is for every machine, not for the one it was written on.
enum PathRules {
    /// Folders at the root of a file system that only mean something on one machine.
    static let folders = ["work", "root", "home"]

    static func findings(path: String, text: String) -> [Finding] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { line, content in
            guard let found = localPath(in: content) else { return nil }
            return Finding(
                path: path, line: line + 1,
                message: "`\(found)` is a path of one machine: use one relative to the repository")
        }
    }

    private static func localPath(in line: Substring) -> String? {
        let bytes = Array(line.utf8)
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "/") {
            if index > 0, continuesPath(bytes[index - 1]) { continue }
            let name = bytes[(index + 1)...].prefix(while: isIdentifierByte)
            let next = name.endIndex < bytes.count ? bytes[name.endIndex] : UInt8(ascii: " ")
            let folder = String(decoding: name, as: UTF8.self)
            if folders.contains(folder), "/ \"'`:)".utf8.contains(next) { return "/" + folder }
        }
        return nil
    }

    /// Whether a slash after this byte is inside a longer path or a URL.
    private static func continuesPath(_ byte: UInt8) -> Bool {
        isIdentifierByte(byte) || "./}~*-$)>]".utf8.contains(byte)
    }
}
