import StreamsCore
import StreamsModel

/// An object without metadata, as the prototype of this layout wrote them: one message, at the key of its offset.
///
/// Its body is one JSON object with `payload` and `timestamp`, in any order and with any white space.
enum PrototypeObject {
    /// The message as a segment of ours, so that answers can be made of its bytes.
    ///
    /// - Throws: `corrupt` where the body is something else.
    static func segment(_ object: S3Object, at key: SegmentKey) throws(StoreError) -> Segment {
        guard let message = message(in: object.body) else {
            throw StoreError(
                .corrupt, effect: .none,
                "The object \(key.objectKey) has no metadata, and its body is not one message with a payload.")
        }
        let timestamp = message.timestamp ?? object.lastModified ?? Timestamp(milliseconds: 0)
        var encoder = SegmentEncoder(
            first: key.last, timestamp: timestamp, batchBytes: object.body.count, count: 1)
        encoder.append(MessageBatch(bytes: object.body, messages: [message.spans]))
        return Segment(
            topic: key.topic, range: key.last..<key.last.advanced(by: 1), kind: .messages,
            // Of no append of ours.
            appendID: AppendID(high: 0, low: 0), previousClaim: nil, timestamp: timestamp, body: encoder.body)
    }

    private static func message(in body: [UInt8]) -> (spans: MessageBatch.Spans, timestamp: Timestamp?)? {
        let bytes = body.span
        var scanner = JSONScanner(end: body.count, nestingMaximum: JSONScanner.nestingCeiling)
        guard scanner.accept(UInt8(ascii: "{"), in: bytes) else { return nil }
        var payload: Range<Int>?
        var timestamp: Timestamp?
        repeat {
            guard let name = try? scanner.string(in: bytes), scanner.accept(UInt8(ascii: ":"), in: bytes),
                let value = try? scanner.value(in: bytes)
            else { return nil }
            if JSONText.equals(name, "payload", in: bytes) { payload = value }
            if JSONText.equals(name, "timestamp", in: bytes) {
                let text = String(decoding: body[value], as: UTF8.self)
                timestamp = Int64(text).map { Timestamp(milliseconds: $0) }
            }
        } while scanner.accept(UInt8(ascii: ","), in: bytes)
        guard scanner.accept(UInt8(ascii: "}"), in: bytes), (try? scanner.finish(in: bytes)) != nil, let payload
        else { return nil }
        let hasLineBreak = body[payload].contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        return (MessageBatch.Spans(payload: payload, hasLineBreak: hasLineBreak), timestamp)
    }
}
