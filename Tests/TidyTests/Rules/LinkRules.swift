import Foundation

/// Every link leads somewhere, and every document can be reached.
enum LinkRules {
    /// Relative links whose file, or whose heading in a Markdown file, is not there.
    static func brokenLinks(_ documents: [MarkdownFile], exists: (String) -> Bool) -> [Finding] {
        let byPath = Dictionary(uniqueKeysWithValues: documents.map { ($0.path, $0) })
        return documents.flatMap { document in
            document.links.compactMap { link in
                guard let (path, anchor) = destination(of: link.target, from: document.path) else { return nil }
                if !exists(path) {
                    return Finding(path: document.path, line: link.line, message: "`\(link.target)` leads nowhere")
                }
                if let anchor, let other = byPath[path], !other.anchors.contains(anchor) {
                    let message = "`\(link.target)`: \(path) has no heading of that name"
                    return Finding(path: document.path, line: link.line, message: message)
                }
                return nil
            }
        }
    }

    /// Documents below `docs/` that no other document links to.
    static func unreachableDocuments(_ documents: [MarkdownFile]) -> [Finding] {
        var linked: Set<String> = []
        for document in documents {
            for link in document.links {
                guard let (path, _) = destination(of: link.target, from: document.path), path != document.path else {
                    continue
                }
                linked.insert(path)
            }
        }
        return documents.filter { $0.path.hasPrefix("docs/") && !linked.contains($0.path) }.map {
            Finding(
                path: $0.path, line: 0, message: "no other document links here: link it from README.md or from docs/")
        }
    }

    /// Where a link leads from a document, as a path from the root; `nil` for links that leave the repository.
    static func destination(of target: String, from document: String) -> (path: String, anchor: String?)? {
        if target.contains("://") || target.hasPrefix("mailto:") { return nil }
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let anchor = parts.count > 1 ? String(parts[1]) : nil
        guard let file = parts.first, !file.isEmpty else { return (document, anchor) }
        var path = document.split(separator: "/").dropLast().map(String.init)
        for part in (String(file).removingPercentEncoding ?? String(file)).split(separator: "/") where part != "." {
            if part != ".." {
                path.append(String(part))
            } else if path.popLast() == nil {
                return (String(file), anchor)
            }
        }
        return (path.joined(separator: "/"), anchor)
    }
}
