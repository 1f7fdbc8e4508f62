import HTTPTypes
package import StreamsModel

/// An error on the wire: `application/problem+json` of RFC 9457, with the members of ``StreamsError/Context``.
package enum ProblemDocument {
    /// The media type.
    package static let mediaType = "application/problem+json"

    /// The document for an error.
    package static func encode(_ error: StreamsError) -> [UInt8] {
        var writer = JSONObjectWriter()
        writer.member("type", "about:blank")
        writer.member("title", error.code.status.reasonPhrase)
        writer.member("status", error.code.status.code)
        writer.member("detail", error.detail)
        writer.member("code", error.code.rawValue)
        let context = error.context
        if let parameter = context.parameter { writer.member("parameter", parameter) }
        if let position = context.position { writer.member("position", position) }
        if let limit = context.limit { writer.member("limit", limit) }
        if let limitValue = context.limitValue { writer.member("limit_value", limitValue) }
        if let earliest = context.earliestOffset { writer.member("earliest_offset", earliest.rawValue) }
        if let end = context.endOffset { writer.member("end_offset", end.rawValue) }
        if let expiresAt = context.expiresAt { writer.member("expires_at", expiresAt.milliseconds) }
        return writer.finish()
    }
}
