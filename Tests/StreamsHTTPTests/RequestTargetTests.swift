import StreamsAPI
import StreamsModel
import StreamsTesting
import Testing

@Suite("Request targets")
struct RequestTargetTests {
    @Test(
        "are taken apart into decoded segments, without a stage and a slash at the end",
        arguments: [
            ("/", []), ("", []), ("/topics", ["topics"]), ("/topics/", ["topics"]), ("/topics//", ["topics", ""]),
            ("//topics", ["", "topics"]), ("/v1", []), ("/v1/", []), ("/v1/topics", ["topics"]),
            ("/v12345678901234567890/topics", ["topics"]), ("/v1/v2/topics", ["v2", "topics"]), ("/v/a", ["v", "a"]),
            ("/v1x/a", ["v1x", "a"]), ("/V1/a", ["V1", "a"]), ("/topics/v1", ["topics", "v1"]),
            ("/a%2Fb/%C3%A9", ["a/b", "é"]), ("/a+b", ["a+b"]), ("/%2e%2E", [".."]), ("/a?b/c", ["a"]),
            ("/a#b/c", ["a"]), ("/a;b=c", ["a;b=c"]), ("*", []),
            ("http://host/topics", ["topics"]), ("http://host", []), ("HTTPS://host:1/v1/a/", ["a"]),
            ("http://host?b/c", []), ("/http://host/a", ["http:", "", "host", "a"]),
        ] as [(String, [String])])
    func takesPathsApart(target: String, path: [String]) throws {
        #expect(try RequestTarget(target).path == path)
    }

    @Test(
        "have the parameters of their query in order, decoded",
        arguments: [
            ("/a", []), ("/a?", []), ("/a?&&", []), ("/a?b", [("b", "")]), ("/a?b=", [("b", "")]), ("/a?=", [("", "")]),
            ("/a?b=c&b=d", [("b", "c"), ("b", "d")]), ("/a?b=c=d", [("b", "c=d")]), ("/a?b=c?d", [("b", "c?d")]),
            ("/a?b+c=d+e", [("b c", "d e")]), ("/a?%62=%2B%26%3D", [("b", "+&=")]),
            ("/a?%C3%A9=%F0%9F%98%80", [("é", "😀")]),
            ("/a?b=c#d=e", [("b", "c")]), ("/a?b=%00", [("b", "\0")]),
        ] as [(String, [(String, String)])])
    func takesQueriesApart(target: String, query: [(String, String)]) throws {
        let found = try RequestTarget(target).query
        #expect(found.map(\.name) == query.map(\.0))
        #expect(found.map(\.value) == query.map(\.1))
    }

    @Test(
        "with a path that is not percent-encoded UTF-8 are not found",
        arguments: ["/%", "/%2", "/%zz", "/%+1", "/a/%C3", "/%C3%28", "/%ED%A0%80", "/%C0%80", "/a%", "/%%41"])
    func refusesBrokenPaths(target: String) {
        #expect { try RequestTarget(target) } throws: { ($0 as? StreamsError)?.code == .notFound }
    }

    @Test(
        "with a query that is not percent-encoded UTF-8 name the parameter",
        arguments: [("/a?b=%", "b"), ("/a?%zz=1", "%zz"), ("/a?x=1&b=%FF", "b"), ("/a?b=%C3%28&c=%", "b")])
    func refusesBrokenQueries(target: String, parameter: String) {
        #expect { try RequestTarget(target) } throws: {
            let error = $0 as? StreamsError
            return error?.code == .invalidParameter && error?.context.parameter == parameter
        }
    }

    @Test("two that spell the same thing differently are equal")
    func comparesDecoded() throws {
        #expect(try RequestTarget("/v1/%61/?b=%63") == RequestTarget("/a?b=c"))
        #expect(try RequestTarget("/a?b=c&d=e") != RequestTarget("/a?d=e&b=c"))
        #expect(try RequestTarget("/a?b=c") != RequestTarget("/a"))
    }

    @Test("percent-encoding keeps the unreserved characters alone, and decoding undoes it")
    func encodesAndDecodes() {
        #expect(PercentEncoding.encode("AZaz09-._~") == "AZaz09-._~")
        #expect(PercentEncoding.encode("a b/é%+") == "a%20b%2F%C3%A9%25%2B")
        var random = SplitMix64(seed: 7)
        for _ in 0..<500 {
            let scalars = (0..<random.next(below: 12)).compactMap { _ in
                Unicode.Scalar(UInt32(random.next(below: random.happens(percent: 50) ? 128 : 0x110000)))
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            for plusIsSpace in [true, false] {
                let encoded = PercentEncoding.encode(text)
                #expect(PercentEncoding.decode(encoded[...], plusIsSpace: plusIsSpace) == text)
            }
        }
        #expect(PercentEncoding.decode("a+b", plusIsSpace: true) == "a b")
        #expect(PercentEncoding.decode("a+b%2B", plusIsSpace: false) == "a+b+")
    }
}
