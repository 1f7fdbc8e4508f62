import Foundation

/// A Markdown file with its links and headings.
struct MarkdownFile {
    struct Link: Equatable {
        var target: String
        /// The line, from 1.
        var line: Int
    }

    /// The path from the repository's root.
    let path: String
    let links: [Link]
    /// The anchors that its headings make, as GitHub writes them.
    let anchors: Set<String>

    init(path: String, text: String) {
        var links: [Link] = []
        var anchors: Set<String> = []
        var isFenced = false
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.drop(while: { $0 == " " }).hasPrefix("```") {
                isFenced.toggle()
            } else if !isFenced {
                links += MarkdownFile.targets(in: line).map { Link(target: $0, line: index + 1) }
                if let anchor = MarkdownFile.anchor(of: line) { anchors.insert(anchor) }
            }
        }
        self.path = path
        self.links = links
        self.anchors = anchors
    }

    /// The targets of `[text](target)` outside code spans, without titles.
    private static func targets(in line: Substring) -> [String] {
        let withoutCode = line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .map { $0.offset.isMultiple(of: 2) ? String($0.element) : "" }.joined()
        return withoutCode.components(separatedBy: "](").dropFirst().compactMap { rest in
            guard let end = rest.firstIndex(of: ")") else { return nil }
            return rest[..<end].split(separator: " ").first.map(String.init)
        }
    }

    /// GitHub's anchor of a heading: lower case, blanks as hyphens, no punctuation.
    private static func anchor(of line: Substring) -> String? {
        guard line.hasPrefix("#"), let space = line.firstIndex(of: " ") else { return nil }
        let kept = line[space...].dropFirst().lowercased().filter {
            $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" || $0 == " "
        }
        return kept.replacingOccurrences(of: " ", with: "-")
    }
}
