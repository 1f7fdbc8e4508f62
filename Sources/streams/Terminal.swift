import Foundation

/// Standard output and error, as pipes and terminals expect them.
enum Terminal {
    /// Writes bytes to standard output, unbuffered: what was read is on its way before more is asked for.
    ///
    /// Ends the process quietly when nobody reads any more, as in `streams consume orders | head`.
    static func output(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = write(STDOUT_FILENO, buffer.baseAddress?.advanced(by: written), buffer.count - written)
                if count < 0 {
                    if errno == EINTR { continue }
                    if errno == EPIPE { exit(0) }
                    report("streams: standard output can not be written: \(String(cString: strerror(errno)))")
                    exit(1)
                }
                written += count
            }
        }
    }

    /// Writes a line to standard error.
    static func report(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// Shows progress on a terminal, over the line before; nothing elsewhere.
    static func progress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    /// Takes the progress line away.
    static func endProgress() {
        progress("")
    }
}
