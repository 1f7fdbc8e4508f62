/// Base64 of RFC 4648 section 4, with padding, in which events and answers carry bytes that are no text.
package enum Base64 {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let values: [UInt8?] = {
        var values = [UInt8?](repeating: nil, count: 256)
        for (value, digit) in digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()

    /// Encodes.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let second = start + 1 < bytes.count ? bytes[start + 1] : 0
            let third = start + 2 < bytes.count ? bytes[start + 2] : 0
            text.append(digits[Int(bytes[start] >> 2)])
            text.append(digits[Int(bytes[start] & 3) << 4 | Int(second >> 4)])
            text.append(start + 1 < bytes.count ? digits[Int(second & 15) << 2 | Int(third >> 6)] : UInt8(ascii: "="))
            text.append(start + 2 < bytes.count ? digits[Int(third & 63)] : UInt8(ascii: "="))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Decodes; `nil` where the text is not base64, or is cut off.
    package static func decode(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer: UInt32 = 0
        var bits = 0
        var digitCount = 0
        var paddingCount = 0
        bytes.reserveCapacity(text.utf8.count / 4 * 3)
        for byte in text.utf8 {
            if byte == UInt8(ascii: "=") {
                paddingCount += 1
                continue
            }
            guard paddingCount == 0, let value = values[Int(byte)] else { return nil }
            digitCount += 1
            buffer = buffer << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: buffer >> UInt32(bits)))
            }
        }
        guard (digitCount + paddingCount) % 4 == 0, paddingCount <= 2, digitCount % 4 != 1 else { return nil }
        return bytes
    }
}
