/// Every limit on what comes in, in one place; each is named in the error that enforces it.
public struct Limits: Sendable, Equatable {
    /// Largest request body in bytes (`request_body`).
    ///
    /// API Gateway itself stops at 10 MB, Lambda at 6 MB.
    public var requestBodyBytes = 5 * 1024 * 1024
    /// Largest message in bytes: payload, key and headers as sent (`message`).
    public var messageBytes = 1024 * 1024
    /// Most messages in one request (`batch`).
    public var batchMessages = 10_000
    /// Longest key in bytes of UTF-8 (`key`).
    public var keyBytes = 1024
    /// Largest `headers` object in bytes as sent (`headers`).
    public var headersBytes = 16 * 1024
    /// Deepest nesting of arrays and objects in a request body (`json_nesting`).
    public var jsonNesting = 128
    /// Longest long-poll (`wait`).
    public var wait: Duration = .seconds(20)
    /// Most messages in one answer (`limit`).
    public var readMessages = 10_000
    /// Longest lease of a consumer group in seconds (`lease_seconds`).
    public var leaseSeconds: Int64 = 43_200
    /// Most payload bytes in one answer, and the default (`max_bytes`).
    public var readBytes = 4 * 1024 * 1024

    /// The limits that the documentation states.
    public init() {}
}
