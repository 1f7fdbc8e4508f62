import StreamsCore
import StreamsModel

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension SegmentKey {
    /// The key in the bucket: `topics/{topic}/{last offset as 20 digits}.json`, so that keys sort as offsets do.
    var objectKey: String { Self.objectKey(topic, number: last.rawValue) }

    /// The key of an offset, or of the 0 before the first one.
    static func objectKey(_ topic: TopicName, number: Int64) -> String {
        let digits = String(number)
        return objectPrefix(topic) + String(repeating: "0", count: 20 - digits.utf8.count) + digits + ".json"
    }

    /// What all keys of a topic begin with.
    static func objectPrefix(_ topic: TopicName) -> String { "\(topicsPrefix)\(topic)/" }

    /// What the keys of all topics begin with.
    static let topicsPrefix = "topics/"

    /// Whether a key under the topic's prefix sorts after every key of a segment, all of which begin with a digit.
    static func isAboveAll(objectKey: String, of topic: TopicName) -> Bool {
        guard let first = objectKey.utf8.dropFirst(objectPrefix(topic).utf8.count).first else { return false }
        return first > UInt8(ascii: "9")
    }

    /// Reads a key in the bucket; `nil` where it is none of a segment.
    init?(objectKey: String, of topic: TopicName) {
        let prefix = Self.objectPrefix(topic)
        guard objectKey.hasPrefix(prefix), objectKey.hasSuffix(".json") else { return nil }
        let digits = objectKey.utf8.dropFirst(prefix.utf8.count).dropLast(5)
        guard digits.count == 20, digits.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            let text = String(digits), let number = Int64(text), number < TopicItem.offsetMaximum,
            let last = Offset(number)
        else { return nil }
        self.init(topic: topic, last: last)
    }
}

/// A segment as an object: what is in its metadata, and how the prototype's objects are read.
enum SegmentObject {
    /// Names of metadata fields, which are stored and so never renamed.
    private enum Field {
        static let format = "format"
        static let first = "first"
        static let count = "count"
        static let appendID = "append-id"
        static let previousClaim = "previous-claim"
        static let timestamp = "timestamp"
        static let kind = "kind"
        static let parts = "parts"
    }

    private static let filler = "filler"
    private static let merged = "merged"

    /// One JSON document a line.
    static let contentType = "application/x-ndjson"

    /// The metadata of a segment's object.
    static func metadata(of segment: Segment) -> [(name: String, value: String)] {
        var fields = [
            (Field.format, String(Segment.format)), (Field.first, String(segment.range.lowerBound.rawValue)),
            (Field.count, String(segment.range.offsetCount)), (Field.appendID, segment.appendID.hexadecimal),
            (Field.timestamp, String(segment.timestamp.milliseconds)),
        ]
        if let previousClaim = segment.previousClaim {
            fields.append((Field.previousClaim, String(previousClaim.rawValue)))
        }
        switch segment.kind {
        case .messages: break
        case .filler: fields.append((Field.kind, filler))
        case .merged:
            let parts = SegmentPartsCoding.bytes(of: segment.parts)
            fields += [(Field.kind, merged), (Field.parts, Data(parts).base64EncodedString())]
        }
        return fields.map { (name: $0, value: $1) }
    }

    /// The segment that an object holds.
    ///
    /// - Throws: `corrupt`.
    static func segment(_ object: S3Object, at key: SegmentKey) throws(StoreError) -> Segment {
        let metadata = object.metadata
        guard let format = metadata[Field.format] else { return try PrototypeObject.segment(object, at: key) }
        func corrupt(_ what: String) -> StoreError {
            StoreError(.corrupt, effect: .none, "The object \(key.objectKey) \(what).")
        }
        guard format == String(Segment.format) else {
            throw corrupt("is of format \(format.prefix(20)), which this version does not know")
        }
        func number(_ name: String) throws(StoreError) -> Int64? {
            guard let text = metadata[name] else { return nil }
            guard let number = Int64(text), (0...TopicItem.offsetMaximum).contains(number) else {
                throw corrupt("has no number in its metadata's \(name)")
            }
            return number
        }
        guard let first = try number(Field.first).flatMap({ Offset($0) }), first <= key.last,
            try number(Field.count) == Int64(first.distance(to: key.last) + 1)
        else { throw corrupt("has no sound range in its metadata") }
        guard let appendID = metadata[Field.appendID].flatMap({ AppendID(hexadecimal: $0) }) else {
            throw corrupt("has no append id in its metadata")
        }
        let kind: Segment.Kind
        switch metadata[Field.kind] {
        case nil: kind = .messages
        case filler: kind = .filler
        case merged: kind = .merged
        case let other?: throw corrupt("is of kind \(other.prefix(20)), which this version does not know")
        }
        let timestamp = try number(Field.timestamp).map { Timestamp(milliseconds: $0) } ?? object.lastModified
        let segment = Segment(
            topic: key.topic, range: first..<key.last.advanced(by: 1), kind: kind, appendID: appendID,
            previousClaim: try number(Field.previousClaim).flatMap { Offset($0) },
            timestamp: timestamp ?? Timestamp(milliseconds: 0), body: object.body,
            parts: kind == .merged ? parts(metadata[Field.parts]) : [])
        guard segment.hasSoundParts else { throw corrupt("has no sound parts in its metadata") }
        return segment
    }

    /// The parts of a merged segment; none where they can not be read.
    private static func parts(_ text: String?) -> [SegmentPart] {
        text.flatMap { Data(base64Encoded: $0) }.flatMap { SegmentPartsCoding.parts([UInt8]($0)) } ?? []
    }
}

extension AppendID {
    /// 32 lower-case digits.
    var hexadecimal: String {
        func digits(_ half: UInt64) -> String {
            let text = String(half, radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }
        return digits(high) + digits(low)
    }

    /// Reads 32 hexadecimal digits.
    init?(hexadecimal text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ JSONScanner.hexadecimalDigit($0) != nil }),
            let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }
}
