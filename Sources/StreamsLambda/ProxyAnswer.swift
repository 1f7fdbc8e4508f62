import HTTPTypes
import LambdaRuntime
import StreamsAPI

/// An HTTP answer as the gateways take it from a function, in the shape of the event that it answers.
struct ProxyAnswer {
    var shape: ProxyEvent.Shape
    var status: HTTPResponse.Status
    var headers: HTTPFields

    /// The whole answer as one JSON document; a body that is not UTF-8 goes as base64.
    func document(body: [UInt8]) -> [UInt8] {
        var writer = head
        if String(validating: body, as: UTF8.self) != nil {
            writer.member("body", json: JSONString.encode(body))
            writer.member("isBase64Encoded", false)
        } else {
            writer.member("body", Base64.encode(body))
            writer.member("isBase64Encoded", true)
        }
        return writer.finish()
    }

    /// The head of a streamed answer.
    var prelude: [UInt8] { head.finish() }

    private var head: JSONObjectWriter {
        var writer = JSONObjectWriter()
        writer.member("statusCode", status.code)
        switch shape {
        case .first, .loadBalancer(multiValue: true):
            writer.member("multiValueHeaders", json: multiValueHeaders)
        case .second, .loadBalancer(multiValue: false):
            writer.member("headers", json: joinedHeaders)
            let cookies = headers[values: .setCookie]
            if shape == .second, !cookies.isEmpty { writer.member("cookies", cookies) }
        }
        if case .loadBalancer = shape { writer.member("statusDescription", "\(status.code) \(status.reasonPhrase)") }
        return writer
    }

    private var multiValueHeaders: [UInt8] {
        var writer = JSONObjectWriter()
        for name in names { writer.member(name.canonicalName, headers[values: name]) }
        return writer.finish()
    }

    private var joinedHeaders: [UInt8] {
        var writer = JSONObjectWriter()
        for name in names where name != .setCookie || shape != .second {
            writer.member(name.canonicalName, headers[values: name].joined(separator: ", "))
        }
        return writer.finish()
    }

    /// The names of the fields, each once, in order.
    private var names: [HTTPField.Name] {
        var names: [HTTPField.Name] = []
        for field in headers where !names.contains(field.name) { names.append(field.name) }
        return names
    }
}

/// A string of JSON (RFC 8259 section 7).
enum JSONString {
    /// The text of UTF-8 bytes as a JSON string, with the quotes; no byte takes more than two for JSON text.
    static func encode(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count + text.count / 4 + 2)
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): bytes.append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): bytes.append(contentsOf: #"\t"#.utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes.append(contentsOf: #"\u00"#.utf8)
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return bytes
    }
}
