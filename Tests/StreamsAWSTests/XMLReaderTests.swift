import StreamsTesting
import Testing

@testable import StreamsAWS

@Suite("The XML reader")
struct XMLReaderTests {
    @Test("a list is read with its keys as they are")
    func list() throws {
        let text = """
            \u{FEFF}<?xml version="1.0"?>
            <!-- a comment with <tags> -->
            <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
              <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><Prefix/>
              <NextContinuationToken>t+/=</NextContinuationToken>
              <Contents a='>'><Key>a+b%2Bc%20%C3%BC</Key><Size>3</Size></Contents>
              <Contents><Key>x</Key><Size>0</Size><ETag>&quot;e&quot;</ETag></Contents>
            </ListBucketResult>
            """
        let list = try #require(S3ObjectList(XMLElement.parse(Array(text.utf8))))
        #expect(list.entries == [.init(key: "a b+c ü", bodyBytes: 3), .init(key: "x", bodyBytes: 0)])
        #expect(list.continuationToken == "t+/=")
    }

    @Test("keys are not decoded where the store has not encoded them")
    func plainKeys() throws {
        let text =
            "<ListBucketResult><Contents><Key>a+b%41&amp;&#x1F388;&#9;<![CDATA[<]]></Key><Size>1</Size></Contents></ListBucketResult>"
        let list = try #require(S3ObjectList(XMLElement.parse(Array(text.utf8))))
        #expect(list.entries.map(\.key) == ["a+b%41&🎈\t<"])
    }

    @Test(
        "what is not well-formed is nothing",
        arguments: [
            "", " ", "<", "<a", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a/>x", "x<a/>", "<a>&nbsp;</a>",
            "<a>&#x110000;</a>",
            "<a>&amp</a>", "<a>&#+1;</a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a/>", "<!--<a/>", "<a><![CDATA[</a>",
            "<>x</>",
        ])
    func malformed(_ text: String) {
        #expect(XMLElement.parse(Array(text.utf8)) == nil)
    }

    @Test("nesting that no answer has is refused")
    func depth() {
        let deep = String(repeating: "<a>", count: 100_000) + String(repeating: "</a>", count: 100_000)
        #expect(XMLElement.parse(Array(deep.utf8)) == nil)
    }

    @Test("text that was escaped is read back as it was")
    func escaping() {
        for text in ["a<b>&amp;\"'", "tab\tline\nreturn\r", "ü🎈", "]]>", "\u{7f}"] {
            let document = "<a>\(XMLElement.escaped(text))</a>"
            #expect(XMLElement.parse(Array(document.utf8))?.text == text)
        }
    }

    @Test("random bytes, and documents with random changes, never crash it")
    func random() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var dice = SplitMix64(seed: seed)
        let document = Array(
            "<?xml?><L><!-- c --><C a=\"1\"><K>a&lt;b&#65;</K><![CDATA[x]]></C><E/></L>".utf8)
        let alphabet = Array("<>/&;#x!-[]?\"'= aC\u{0}".utf8)
        for _ in 0..<3000 {
            var bytes = document
            for _ in 0...dice.next(below: 4) {
                let place = dice.next(below: bytes.count)
                switch dice.next(below: 3) {
                case 0: bytes[place] = alphabet[dice.next(below: alphabet.count)]
                case 1: bytes.remove(at: place)
                default: bytes.insert(alphabet[dice.next(below: alphabet.count)], at: place)
                }
            }
            _ = XMLElement.parse(bytes)
            _ = XMLElement.parse(Array(bytes.prefix(dice.next(below: bytes.count))))
            _ = XMLElement.parse((0..<dice.next(below: 40)).map { _ in alphabet[dice.next(below: alphabet.count)] })
        }
    }
}
