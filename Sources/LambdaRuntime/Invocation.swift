/// One event that the function is to answer.
package struct Invocation: Sendable, Equatable {
    /// Its name with the Runtime API (`Lambda-Runtime-Aws-Request-Id`).
    package var id: String
    /// When the function is ended if it has not answered, in milliseconds since 1970 UTC
    /// (`Lambda-Runtime-Deadline-Ms`).
    package var deadlineMilliseconds: Int64
    /// The trace that it belongs to, where there is one (`Lambda-Runtime-Trace-Id`).
    package var traceID: String?
    /// The event as it came: JSON.
    package var event: [UInt8]

    /// The id of the invocation that the task works on, for the log.
    @TaskLocal package static var currentID: String?

    /// Makes an invocation.
    package init(id: String, deadlineMilliseconds: Int64, traceID: String? = nil, event: [UInt8]) {
        self.id = id
        self.deadlineMilliseconds = deadlineMilliseconds
        self.traceID = traceID
        self.event = event
    }
}

/// What the function answers an event with.
package enum InvocationAnswer: Sendable {
    /// One document, of at most ``InvocationLoop/answerBytesMaximum`` bytes.
    case whole([UInt8])
    /// The head of an HTTP answer as JSON, and then its body, as the closure writes it.
    ///
    /// Only for integrations that invoke the function for a streamed response. When the closure throws, the stream is
    /// marked as broken.
    case stream(prelude: [UInt8], body: @Sendable (any InvocationStream) async throws -> Void)
}

/// Where the bytes of a streamed answer go.
package protocol InvocationStream: Sendable {
    /// Sends bytes; returns when the transport took them.
    ///
    /// - Throws: when the stream is broken.
    func write(_ bytes: [UInt8]) async throws
}

/// An invocation, or a start, that failed: what the Runtime API is told.
package struct InvocationFailure: Error, Sendable, Equatable {
    /// The kind of failure in the form `Category.Reason`, for programs and metrics.
    package var type: String
    /// A sentence for people.
    package var message: String

    /// Makes a failure.
    package init(type: String, message: String) {
        self.type = type
        self.message = message
    }

    /// The failure as the Runtime API takes it: the `ErrorRequest` of its description.
    package var document: [UInt8] {
        let members = [("errorMessage", message), ("errorType", type)].map { name, value in
            "\"\(name)\":\"\(Self.escape(value))\""
        }
        return Array("{\(members.joined(separator: ",")),\"stackTrace\":[]}".utf8)
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": escaped += "\\\(scalar)"
            case "\n": escaped += "\\n"
            case _ where scalar.value < 0x20: escaped += " "
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
