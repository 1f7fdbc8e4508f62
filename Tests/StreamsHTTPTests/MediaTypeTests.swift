import StreamsAPI
import Testing

@Suite("Media types")
struct MediaTypeTests {
    @Test(
        "are known from a Content-Type without its parameters, in any case",
        arguments: [
            ("application/json", .json), ("APPLICATION/JSON", .json), ("application/json;charset=utf-8", .json),
            ("  application/json\t; a=b", .json), ("application/x-ndjson", .ndjson), ("application/jsonl", .ndjson),
            ("text/event-stream", .eventStream), ("", nil), (";", nil), ("application/json, text/html", nil),
            ("application/ json", nil), ("text/json", nil), ("application/jsonl2", nil), ("*/*", nil),
        ] as [(String, MediaType?)])
    func readsContentTypes(text: String, mediaType: MediaType?) {
        #expect(MediaType(contentType: text) == mediaType)
    }

    @Test(
        "are negotiated by the weight of the most specific range, then by order",
        arguments: [
            (nil, .json), ("", .json), ("*/*", .json), ("text/*", .eventStream), ("application/*", .json),
            ("text/event-stream", .eventStream), ("application/x-ndjson;q=0.9, application/json;q=0.8", .ndjson),
            ("application/*;q=0.5, application/x-ndjson", .ndjson), ("*/*, application/json;q=0.1", .ndjson),
            ("application/*;q=0, */*", .eventStream), ("application/json;q=0", nil), ("*/*;q=0", nil),
            ("text/html", nil), ("text/html, */*;q=0.01", .json),
            ("application/json ; Q=0 , text/event-stream", .eventStream),
            ("application/json;version=1;q=0.2, application/x-ndjson;q=0.3", .ndjson), (",", nil), ("/", nil),
            ("application/json;q=nan", nil), ("application/json;q=", .json), ("a/b;q=1;q=2,*/*;q=1e-3", .json),
        ] as [(String?, MediaType?)])
    func negotiates(accept: String?, mediaType: MediaType?) {
        #expect(MediaType.negotiate(accept: accept, offered: [.json, .ndjson, .eventStream]) == mediaType)
    }

    @Test("are negotiated among what is offered alone")
    func negotiatesAmongOffered() {
        #expect(MediaType.negotiate(accept: nil, offered: []) == nil)
        #expect(MediaType.negotiate(accept: "application/json", offered: [.eventStream]) == nil)
        #expect(MediaType.negotiate(accept: "*/*", offered: [.eventStream, .json]) == .eventStream)
    }

    @Test("blanks and tabs at the ends of a text go")
    func trimsBlanks() {
        #expect(" \t a b \t".trimmingBlanks == "a b")
        #expect(" ".trimmingBlanks == "" && "".trimmingBlanks == "" && "\na\u{A0}".trimmingBlanks == "\na\u{A0}")
    }
}
