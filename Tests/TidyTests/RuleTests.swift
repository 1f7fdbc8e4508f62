import Testing

/// Each rule, shown a sample that breaks it and one that does not: a check that cannot fail checks nothing.
@Suite("The house rules themselves")
struct RuleTests {
    private func file(_ text: String, path: String = "Sources/StreamsCore/Sample.swift") -> SourceFile {
        SourceFile(path: path, text: text)
    }

    private func longBody(_ lines: Int) -> String {
        String(repeating: "    step()\n", count: lines)
    }

    @Test("a file of 401 lines is too long, one of 400 is not")
    func longFiles() {
        #expect(SizeRules.longFiles(file(String(repeating: "//\n", count: 400))).isEmpty)
        #expect(SizeRules.longFiles(file(String(repeating: "//\n", count: 401))).count == 1)
    }

    @Test(
        "every kind of function of 71 lines is too long, and one of 70 is not",
        arguments: [
            "func f() {", "init(a: Int = 1) {", "init?<T>(_: T) where T: P {", "deinit {", "subscript(i: Int) -> Int {",
            "var value: Int {", "func f(\n) async throws(E) -> [@Sendable () -> Void] {", "func + (l: A, r: A) -> A {",
        ])
    func longFunctions(head: String) throws {
        let headLines = head.split(separator: "\n").count
        let fitting = "struct S {\n\(head)\n\(longBody(69 - headLines))}\n}\n"
        let tooLong = "struct S {\n\(head)\n\(longBody(70 - headLines))}\n}\n"
        #expect(SizeRules.longFunctions(file(fitting)).isEmpty)
        let finding = try #require(SizeRules.longFunctions(file(tooLong)).first)
        #expect(finding.line == 2)
        #expect(finding.message.contains("has 71 lines"))
    }

    @Test("declarations without a body, calls and types are not taken for functions")
    func noFunctions() {
        let text = """
            protocol P {
                func one() async throws -> Int
                init(x: Int)
                var two: Int { get }
            }
            struct Long {
                let a = S.init(1)
                var b = 2
            \(longBody(80))
            }
            """
        #expect(SizeRules.longFunctions(file(text)).isEmpty)
    }

    @Test("braces in strings and comments do not count")
    func bracesInText() {
        let text = """
            func f() {
                let a = "{{{ \\(b["}"]) {", c = #"\\"{"#  // {{{
                /* { /* { */ { */
                let d = \"\"\"
                    { " {
                    \"\"\"
            }
            func g() {}
            """
        var finder = FunctionFinder(lines: file(text).code)
        #expect(finder.functions().map(\.name) == ["f", "g"])
        #expect(finder.functions().map(\.lineCount) == [7, 1])
    }

    @Test(
        "each forbidden call is found, with what to use instead", arguments: DeterminismRules.replacements.map(\.words))
    func forbiddenCalls(words: String) throws {
        let finding = try #require(
            DeterminismRules.findings(file("let a = 1\nlet b = x\(words.first == "." ? "" : " ")\(words)\n")).first)
        #expect(finding.line == 2)
        #expect(finding.message.contains(words))
    }

    @Test("forbidden words are allowed in comments, in strings, as parts of names, elsewhere, and with a reason")
    func allowedCalls() {
        let text = """
            // Date() and Task { would be wrong here
            let a = "print(1)"
            let b = fingerprint(a), c = MyTask { 1 }
            let d = ContinuousClock.now  // tidy: allow the one clock
            // tidy: allow the one clock
            let e = ContinuousClock.now
            """
        #expect(DeterminismRules.findings(file(text)).isEmpty)
        #expect(DeterminismRules.findings(file("print(1)", path: "Sources/streams/Main.swift")).isEmpty)
    }

    @Test("an allowance without a reason, or for another line, allows nothing")
    func emptyAllowance() {
        #expect(DeterminismRules.findings(file("print(1)  // tidy: allow")).count == 1)
        #expect(DeterminismRules.findings(file("print(1)  // tidy: allow \n")).count == 1)
        #expect(DeterminismRules.findings(file("let a = 1  // tidy: allow this\nprint(a)")).count == 1)
    }

    @Test("code in an interpolation is code")
    func interpolation() {
        #expect(DeterminismRules.findings(file(#"let a = "now: \(Date())""#)).count == 1)
    }

    @Test(
        "an import that points up or aside is found",
        arguments: [
            ("StreamsModel", "import StreamsCore"), ("StreamsModel", "import Foundation"),
            ("StreamsModel", "import FoundationEssentials"), ("StreamsCore", "package import StreamsSQLite"),
            ("StreamsCore", "internal import Foundation"), ("StreamsCore", "import struct Foundation.Data"),
            ("StreamsAPI", "import StreamsCore"), ("StreamsAPI", "import Foundation"),
            ("StreamsHTTP", "import Hummingbird"), ("StreamsHTTP", "@preconcurrency import Foundation"),
            ("StreamsSQLite", "import StreamsHTTP"), ("StreamsServer", "import GRDB"),
            ("StreamsServer", "import StreamsSQLite"), ("StreamsClient", "import StreamsCore"),
            ("Unknown", "import Swift"),
        ])
    func wrongImports(target: String, line: String) {
        #expect(ImportRules.findings(file(line, path: "Sources/\(target)/Sample.swift")).count == 1)
    }

    @Test(
        "an import that points down is not",
        arguments: [
            ("StreamsCore", "package import StreamsModel"), ("StreamsCore", "internal import Synchronization"),
            ("StreamsSQLite", "internal import GRDB"), ("StreamsHTTP", "import StreamsAPI"),
            ("streams", "import StreamsSQLite"),
        ])
    func rightImports(target: String, line: String) {
        #expect(ImportRules.findings(file(line, path: "Sources/\(target)/Sample.swift")).isEmpty)
    }

    @Test(
        "an escape without a reason is found",
        arguments: [
            "fatalError(\"no\")", "let a = try! f()", "let a = b as! C", "final class Box: @unchecked Sendable {}",
        ])
    func escapes(line: String) {
        #expect(SafetyRules.findings(file(line)).count == 1)
        #expect(SafetyRules.findings(file("/// Documentation is no reason.\n" + line)).count == 1)
        #expect(SafetyRules.findings(file("// The lock guards all of it.\n" + line)).isEmpty)
        #expect(SafetyRules.findings(file(line + "  // The lock guards all of it.")).isEmpty)
    }

    @Test("a name that says nothing is found, in types and in paths")
    func names() {
        #expect(NamingRules.findings(file("final class LogManager {}")).count == 1)
        #expect(NamingRules.findings(file("enum StringUtils {}")).count == 1)
        #expect(NamingRules.findings(file("", path: "Sources/StreamsCore/JSONHelper.swift")).count == 1)
        #expect(NamingRules.findings(file("", path: "Sources/StreamsCore/Helpers/JSON.swift")).count == 1)
        #expect(NamingRules.findings(file("struct Log { let manager: FileManager }")).isEmpty)
    }

    @Test("a path of one machine is found, a URL or a relative path is not")
    func localPaths() {
        // Put together here, so that this file itself passes the rule.
        for folder in PathRules.folders {
            let path = "/" + folder
            #expect(PathRules.findings(path: "a.md", text: "see\n\(path)/file").map(\.line) == [2])
            #expect(PathRules.findings(path: "a.sh", text: "cd \"\(path)\"").count == 1)
            #expect(PathRules.findings(path: "a.md", text: "https://example.org\(path)/a").isEmpty)
            #expect(PathRules.findings(path: "a.md", text: "docs\(path)/a and ..\(path)/b").isEmpty)
            #expect(PathRules.findings(path: "a.md", text: "\(path)shop/a").isEmpty)
        }
    }

    @Test("a link to a missing file or heading is found")
    func links() {
        let readme = MarkdownFile(
            path: "README.md",
            text: """
                # The *log*, in short
                [a](docs/a.md) [b](docs/b.md) [c](#the-log-in-short) [d](#nowhere) [e](docs/a.md#rules) [f](docs/a.md#none)
                `[g](gone.md)` [h](https://example.org/x.md)
                ```
                [i](gone.md)
                ```
                """)
        let document = MarkdownFile(path: "docs/a.md", text: "## Rules\n[up](../README.md) [out](../../x)")
        let findings = LinkRules.brokenLinks([readme, document]) { ["README.md", "docs/a.md"].contains($0) }
        let targets = findings.map { String($0.message.split(separator: "`")[0]) }
        #expect(targets == ["docs/b.md", "#nowhere", "docs/a.md#none", "../../x"])
    }

    @Test("a document that nothing links to is found")
    func unreachable() {
        let readme = MarkdownFile(path: "README.md", text: "[a](docs/a.md)")
        let linked = MarkdownFile(path: "docs/a.md", text: "")
        let lonely = MarkdownFile(path: "docs/b.md", text: "[self](b.md)")
        #expect(LinkRules.unreachableDocuments([readme, linked, lonely]).map(\.path) == ["docs/b.md"])
    }
}
