/// The messages of one append, as spans of the bytes that they came in.
///
/// One buffer and one small record a message, whatever the payloads are: nothing is decoded, nothing allocated for
/// each message.
package struct MessageBatch: Sendable {
    /// Where one message's parts lie in ``bytes``.
    package struct Spans: Sendable {
        /// The payload's JSON text.
        package var payload: Range<Int>
        /// The key's JSON string, quotes included.
        package var key: Range<Int>?
        /// The headers' JSON object.
        package var headers: Range<Int>?
        /// Whether any of the texts holds a line break, which can not stay in a line-based format.
        package var hasLineBreak: Bool

        /// Makes the record of a message.
        package init(payload: Range<Int>, key: Range<Int>? = nil, headers: Range<Int>? = nil, hasLineBreak: Bool) {
            self.payload = payload
            self.key = key
            self.headers = headers
            self.hasLineBreak = hasLineBreak
        }

        /// The size of the message as sent, in bytes: payload, key and headers.
        package var byteCount: Int {
            payload.count + (key?.count ?? 0) + (headers?.count ?? 0)
        }
    }

    /// The text that the spans point into; every span has passed the ``JSONScanner``.
    package let bytes: [UInt8]
    /// The messages in order, at least one.
    package let messages: [Spans]
    /// The size of all messages as sent, in bytes.
    package let byteCount: Int

    /// Makes a batch.
    package init(bytes: [UInt8], messages: [Spans]) {
        precondition(!messages.isEmpty, "a batch holds at least one message")
        self.bytes = bytes
        self.messages = messages
        self.byteCount = messages.reduce(0) { $0 + $1.byteCount }
    }
}
