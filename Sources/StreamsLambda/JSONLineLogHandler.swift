import LambdaRuntime
package import Logging
import StreamsAPI
import StreamsCore
import StreamsModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Writes each log entry as one line of JSON to standard error, where Lambda collects it.
///
/// `timestamp` and `level` are named as in Lambda's own JSON log format, so that its filter by level works on them;
/// `requestId` is that of the invocation under way.
package struct JSONLineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let write: @Sendable ([UInt8]) -> Void

    /// Makes a handler; `write` gets each line whole, with its line break.
    package init(level: Logger.Level, write: @escaping @Sendable ([UInt8]) -> Void = Self.writeToStandardError) {
        self.logLevel = level
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var writer = JSONObjectWriter()
        writer.member("timestamp", Self.timestamp())
        writer.member("level", event.level.rawValue.uppercased())
        writer.member("message", event.message.description)
        if let id = Invocation.currentID { writer.member("requestId", id) }
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) { writer.member(name, value.description) }
        write(writer.finish() + [UInt8(ascii: "\n")])
    }

    /// The wall clock in the form of RFC 3339, in UTC.
    private static func timestamp() -> String {
        let now = SystemTime().now()
        let milliseconds = String(1000 + now.milliseconds % 1000).dropFirst()
        return "\(CivilTime(now).extendedText).\(milliseconds)Z"
    }

    /// Writes with one call, so that lines of several threads do not mix.
    package static func writeToStandardError(_ line: [UInt8]) {
        var rest = line[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Self.systemWrite(2, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes, count)
        #elseif canImport(Musl)
            Musl.write(descriptor, bytes, count)
        #else
            Darwin.write(descriptor, bytes, count)
        #endif
    }
}
