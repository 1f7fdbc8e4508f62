import Crypto

/// The SHA-256 of a request's body, in the hexadecimal form that requests carry.
///
/// Computed once for a request, however often it is sent.
package struct PayloadDigest: Sendable, Equatable {
    /// 64 lower-case hexadecimal digits.
    package let hexadecimal: String

    /// The digest of no bytes.
    package static let empty = PayloadDigest(of: [])

    /// Computes the digest of a body.
    package init(of body: [UInt8]) {
        hexadecimal = Hexadecimal.text(SHA256.hash(data: body))
    }
}

enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(64)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
