/// The media types of the API.
package enum MediaType: String, Sendable, CaseIterable {
    /// One JSON document.
    case json = "application/json"
    /// One JSON value a line.
    case ndjson = "application/x-ndjson"
    /// Server-sent events, by the HTML standard.
    case eventStream = "text/event-stream"

    /// The media type of a `Content-Type`, without its parameters and in lower case, as one of ours; `nil` for others.
    package init?(contentType: String) {
        if let exact = MediaType(rawValue: contentType) {
            self = exact
            return
        }
        let name = contentType.prefix { $0 != ";" }.lowercased().trimmingBlanks
        if name == "application/jsonl" {
            self = .ndjson
        } else {
            self.init(rawValue: name)
        }
    }

    /// The type of the answer that an `Accept` header asks for (RFC 9110 section 12.5.1), out of `offered`.
    ///
    /// The highest weight wins, then the order of `offered`. No header means anything. `nil`: none is acceptable.
    package static func negotiate(accept: String?, offered: [MediaType]) -> MediaType? {
        guard let accept, !accept.isEmpty, accept != "*/*" else { return offered.first }
        let ranges = accept.split(separator: ",").map { MediaRange(String($0)) }
        var best: (type: MediaType, weight: Double)?
        for type in offered {
            let weight = ranges.filter { $0.matches(type) }.max { $0.specificity < $1.specificity }?.weight ?? 0
            if weight > 0, weight > best?.weight ?? 0 { best = (type, weight) }
        }
        return best?.type
    }
}

/// One item of an `Accept` header.
private struct MediaRange {
    let name: String
    let weight: Double

    init(_ text: String) {
        let parts = text.split(separator: ";").map { String($0).trimmingBlanks.lowercased() }
        name = parts.first == "application/jsonl" ? MediaType.ndjson.rawValue : parts.first ?? ""
        weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
    }

    func matches(_ type: MediaType) -> Bool {
        name == type.rawValue || name == "*/*" || name == type.rawValue.prefix { $0 != "/" } + "/*"
    }

    var specificity: Int {
        name == "*/*" ? 0 : name.hasSuffix("/*") ? 1 : 2
    }
}

extension StringProtocol {
    /// The text without blanks and tabs at its ends.
    package var trimmingBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
