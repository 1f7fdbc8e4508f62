import HTTPTypes
import StreamsHTTP

/// What is wrong with the body.
extension HTTPRefusal {
    /// Bodies that are missing, of a type that is not taken, or not JSON.
    static var bodies: [HTTPRefusal] {
        let bodyRequired = ExpectedProblem(400, "body_required")
        let unsupported = ExpectedProblem(415, "unsupported_media_type")
        let types = [
            "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/event-stream", "json",
            "application/json2", "application/", "application/problem+json", "application/json, application/json",
        ]
        return [
            HTTPRefusal(body: "", bodyRequired),
            HTTPRefusal(body: "", contentType: "application/x-ndjson", bodyRequired),
        ]
            + types.map { HTTPRefusal(body: #"{"payload":1}"#, contentType: $0, unsupported) }
            + ["gzip", "br", "deflate", "identity, gzip", "x"].map { encoding in
                var refusal = HTTPRefusal(body: #"{"payload":1}"#, name: "Content-Encoding: \(encoding)", unsupported)
                refusal.request.headers[.contentEncoding] = encoding
                return refusal
            } + conditions + notJSON.map { HTTPRefusal(body: $0, .invalidJSON(at: $1)) }
            + notUTF8.map { before, bytes, position in
                HTTPRefusal(
                    body: Array(#"{"payload":"\#(before)"#.utf8) + bytes + Array(#""}"#.utf8),
                    .invalidJSON(at: 12 + before.utf8.count + position))
            } + notLines.map { HTTPRefusal(body: $0, contentType: "application/x-ndjson", .invalidJSON(at: $1)) }
    }

    /// Conditions that are none: an append in spite of one would be a false success.
    private static var conditions: [HTTPRefusal] {
        let wrong = [
            ("Idempotency-Key", ["", "a b", "caf\u{E9}", String(repeating: "k", count: 256)]),
            ("Expected-Offset", ["", "0", "-1", "+1", "1.0", "x", "9223372036854775808"]),
            ("Fencing-Token", ["", "a b", String(repeating: "t", count: 37)]),
        ]
        return wrong.flatMap { name, values in
            values.map { value in
                var refusal = HTTPRefusal(
                    body: #"{"payload":1}"#, name: "\(name): \(value.prefix(40))", .invalidParameter(name))
                if let field = HTTPField.Name(name) { refusal.request.headers[field] = value }
                return refusal
            }
        }
    }

    /// Bodies with the byte at which they stop being JSON.
    private static let notJSON: [(String, Int)] = [
        (" ", 1), ("\n\n", 2), ("x", 0), ("payload=1", 0), ("{", 1), ("}", 0), ("[", 1), (#"{"payload""#, 10),
        (#"{"payload":"#, 11), (#"{"payload":}"#, 11), (#"{"payload":1"#, 12), (#"{"payload":1,"#, 13),
        (#"{"payload":1,}"#, 13), (#"{"payload":1}x"#, 13), (#"{"payload":1}{"payload":2}"#, 13),
        (#"{"payload":1};"#, 13), (#"{"payload":01}"#, 12), (#"{"payload":+1}"#, 11), (#"{"payload":.5}"#, 11),
        (#"{"payload":1.}"#, 13), (#"{"payload":1e}"#, 13), (#"{"payload":NaN}"#, 11), (#"{"payload":tru}"#, 14),
        (#"{"payload":nulL}"#, 14), (#"{"payload":'a'}"#, 11), (#"{payload:1}"#, 1), (#"{"payload" 1}"#, 11),
        (#"{"payload":"a}"#, 14), ("{\"payload\":\"a\nb\"}", 13), ("{\"payload\":\"\t\"}", 12),
        (#"{"payload":"\x"}"#, 13),
        (#"{"payload":"\u12"}"#, 16), (#"{"payload":[1,]}"#, 14), (#"{"payload":[1 2]}"#, 14),
        (#"{"payload":{"a"}}"#, 15),
        (#"{"payload":{a:1}}"#, 12), (#"{"payload":1 /* x */}"#, 13), (#"{"payload":1,"payload"}"#, 22),
        (#"{,"payload":1}"#, 1), (#"{"payload":1 "key":"a"}"#, 13), ("\u{FEFF}{\"payload\":1}", 0),
        ("{\"payload\":1}\0", 13), ("{\u{A0}\"payload\":1}", 1), (#"{"messages":[{"payload":1}"#, 26),
        (#"{"messages":[{"payload":1},]}"#, 27), (#"{"messages":[{"payload":1},{"payload":}]}"#, 38),
        (#"{"messages":[{"payload":1} {"payload":2}]}"#, 27), (#"{"messages":[{"payload":1}}"#, 26),
        (#"{"messages":}"#, 12), ("[1,2", 4), ("\"a\" x", 4), ("1 2", 2),
        // What is not JSON is reported before what has the wrong shape, wherever either stands.
        (#"{"x":1,"payload":1,"payload":2}x"#, 31), (#"{"messages":[],"x":tru}"#, 22), (#"{"key":1,}"#, 9),
        (#"{"messages":[1,{"payload":1}]"#, 29), (#"{"messages":{},"payload":-}"#, 26),
        (#"{"headers":{"a":1},"payload":1}]"#, 31),
    ]

    /// What can stand before, the bytes that are no UTF-8, and which of them is the wrong one.
    private static let notUTF8: [(String, [UInt8], Int)] = [
        ("", [0x80], 0), ("é", [0xC3], 1), ("", [0xC0, 0x80], 0), ("a", [0xED, 0xA0, 0x80], 1),
        ("", [0xF4, 0x90, 0x80, 0x80], 1), ("😀", [0xFF], 0), ("", [0xE2, 0x82], 2),
    ]

    /// Lines with the byte, from the beginning of the body, at which one stops being JSON.
    private static let notLines: [(String, Int)] = [
        ("x", 0), ("1\n2\nx\n", 4), ("1\n{\"a\":\n1}\n", 7), ("1\n[1,\n2]", 5), ("1 2", 2), ("1\n2 3", 4), ("1,\n2", 1),
        ("\n\n\"a", 4), ("1\n\"a\nb\"", 4), ("\u{FEFF}1", 0), ("1\n\u{FEFF}2", 2), ("1\n\0\n", 2),
        ("1\n\r\n\u{B}\n", 4),
        ("[1]\n[2\n[3]", 6),
    ]
}

extension HTTPRefusal {
    /// Bodies that are JSON but of the wrong shape, each naming the member.
    static var shapes: [HTTPRefusal] {
        shapeTable.flatMap { member, bodies in
            bodies.map { HTTPRefusal(body: $0, .invalidParameter(member)) }
        }
            + ["\n", " \n\t\n", "\r\n\r\n"].map {
                HTTPRefusal(body: $0, contentType: "application/x-ndjson", .invalidParameter("body"))
            } + [putWithBody]
    }

    private static var putWithBody: HTTPRefusal {
        var refusal = HTTPRefusal(.put, "/topics/orders", .invalidParameter("body"))
        refusal.request.body = Array("[]".utf8)
        refusal.name = "PUT with a body that is no object is 400"
        return refusal
    }

    private static let shapeTable: [(member: String, bodies: [String])] = [
        ("body", ["1", "null", "[]", "\"payload\"", #"[{"payload":1}]"#, "true", "-0.5e1"]),
        (
            "payload",
            [
                "{}", " { } ", #"{"key":"a"}"#, #"{"headers":{}}"#, #"{"messages":[{}]}"#,
                #"{"messages":[{"key":"a"}]}"#,
                #"{"messages":[{"payload":1},{}]}"#, #"{"payload":1,"payload":1}"#, #"{"payload":1,"pay\u006coad":1}"#,
                #"{"\u0070ayload":1,"key":"a","payload":2}"#, #"{"messages":[{"payload":1,"payload":2}]}"#,
            ]
        ),
        (
            "key",
            [
                #"{"payload":1,"key":1}"#, #"{"payload":1,"key":null}"#, #"{"payload":1,"key":["a"]}"#,
                #"{"key":{},"payload":1}"#, #"{"payload":1,"key":"a","key":"a"}"#,
                #"{"payload":1,"key":"a","\u006bey":"a"}"#,
                #"{"messages":[{"payload":1,"key":true}]}"#,
            ]
        ),
        (
            "headers",
            [
                #"{"payload":1,"headers":null}"#, #"{"payload":1,"headers":[]}"#, #"{"payload":1,"headers":"a"}"#,
                #"{"payload":1,"headers":{"a":1}}"#, #"{"payload":1,"headers":{"a":"b","c":null}}"#,
                #"{"payload":1,"headers":{"a":{}}}"#, #"{"payload":1,"headers":{"a":["b"]}}"#,
                #"{"payload":1,"headers":{},"headers":{}}"#, #"{"payload":1,"headers":{},"header\u0073":{}}"#,
                #"{"messages":[{"payload":1},{"payload":2,"headers":0}]}"#,
            ]
        ),
        (
            "messages",
            [
                #"{"messages":[]}"#, #"{"messages":[ ]}"#, #"{"messages":{}}"#, #"{"messages":null}"#,
                #"{"messages":"a"}"#,
                #"{"messages":1}"#, #"{"messages":[1]}"#, #"{"messages":[{"payload":1},[]]}"#,
                #"{"messages":[null,{"payload":1}]}"#, #"{"messages":["a"]}"#,
                #"{"messages":[{"payload":1}],"payload":1}"#,
                #"{"payload":1,"messages":[{"payload":1}]}"#, #"{"messages":[{"payload":1}],"key":"a"}"#,
                #"{"headers":{},"messages":[{"payload":1}]}"#,
                #"{"messages":[{"payload":1}],"messages":[{"payload":1}]}"#,
                #"{"messages":[{"payload":1}],"m\u0065ssages":[{"payload":1}]}"#,
                #"{"messages":[{"payload":1,"messages":[{"payload":1}]}]}"#,
            ]
        ),
        ("x", [#"{"payload":1,"x":1}"#, #"{"x":null}"#, #"{"messages":[{"payload":1,"x":{}}]}"#]),
        ("Payload", [#"{"Payload":1}"#, #"{"payload":1,"Payload":1}"#]), ("payloads", [#"{"payloads":[1]}"#]),
        ("", [#"{"":1}"#]), ("é\n\"", [#"{"payload":1,"\u00e9\n\"":1}"#]),
        ("timestamp", [#"{"payload":1,"timestamp":1702000000000}"#]), ("offset", [#"{"offset":1,"payload":1}"#]),
    ]

    /// One more than each limit allows.
    static var limits: [HTTPRefusal] {
        let deep = String(repeating: "[", count: 129) + String(repeating: "]", count: 129)
        let objects = String(repeating: #"{"a":"#, count: 129) + "1" + String(repeating: "}", count: 129)
        let long = String(repeating: "x", count: 1024 * 1024 - 1)
        let key = String(repeating: "é", count: 512) + "a"
        let escapedKey = String(repeating: #"\u0041"#, count: 1025)
        let headers = #"{"a":"\#(String(repeating: "x", count: 16 * 1024 - 7))"}"#
        let lines = String(repeating: "1\n", count: 10_001)
        let items = Array(repeating: #"{"payload":1}"#, count: 10_001).joined(separator: ",")
        let body = String(repeating: " ", count: 5 * 1024 * 1024 - 12)
        let message = ExpectedProblem.tooLarge("message", 1_048_576)
        let batch = ExpectedProblem.tooLarge("batch", 10_000)
        let ndjson = "application/x-ndjson"
        return [
            tooLarge("a message", #"{"payload":"\#(long)"}"#, message),
            tooLarge("a message for its key", #"{"payload":"\#(long.dropLast(2))","key":""}"#, message),
            tooLarge("a message of a batch", #"{"messages":[{"payload":1},{"payload":"\#(long)"}]}"#, message),
            tooLarge("a line", "1\n\"\(long)\"\n", message, ndjson),
            tooLarge("a batch of lines", lines, batch, ndjson),
            tooLarge("a batch", #"{"messages":[\#(items)]}"#, batch),
            tooLarge("a key", #"{"payload":1,"key":"\#(key)"}"#, .tooLarge("key", 1024)),
            tooLarge("an escaped key", #"{"payload":1,"key":"\#(escapedKey)"}"#, .tooLarge("key", 1024)),
            tooLarge("headers", #"{"payload":1,"headers":\#(headers)}"#, .tooLarge("headers", 16384)),
            tooLarge("nesting", #"{"payload":\#(deep)}"#, nesting(at: 11 + 128)),
            tooLarge("nesting of objects", #"{"payload":\#(objects)}"#, nesting(at: 11 + 128 * 5)),
            tooLarge("nesting in a batch", #"{"messages":[{"payload":\#(deep)}]}"#, nesting(at: 24 + 128)),
            tooLarge("nesting in a line", "1\n" + deep, nesting(at: 2 + 128), ndjson),
            tooLarge("nesting where it does not matter", #"{"x":\#(deep)}"#, nesting(at: 5 + 128)),
            tooLarge("a body", #"{"payload":1\#(body)}"#, .tooLarge("request_body", 5_242_880)),
            tooLarge("a body that is not even JSON", body + String(repeating: "x", count: 13), bodyLimit, "text/plain"),
        ]
    }

    private static let bodyLimit = ExpectedProblem.tooLarge("request_body", 5_242_880)

    private static func tooLarge(
        _ what: String, _ body: String, _ problem: ExpectedProblem, _ contentType: String? = nil
    ) -> HTTPRefusal {
        HTTPRefusal(body: body, contentType: contentType, name: what + " too large", problem)
    }

    private static func nesting(at position: Int) -> ExpectedProblem {
        var problem = ExpectedProblem.tooLarge("json_nesting", 128)
        problem.members["position"] = String(position)
        return problem
    }
}
