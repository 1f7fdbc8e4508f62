import Foundation
import Testing

/// The house rules, held against this repository; `CONTRIBUTING.md` has them in words.
@Suite("House rules")
struct TidyTests {
    private static let repository = Repository()
    private static let sources = repository.sources
    private static let documents = repository.documents

    @Test("the repository is found, and has sources and documents")
    func repositoryIsFound() {
        #expect(Self.sources.contains { $0.target == "StreamsModel" })
        #expect(Self.documents.contains { $0.path == "docs/protocol.md" })
    }

    @Test("no source file is longer than 400 lines")
    func filesAreShort() {
        check(SizeRules.longFiles)
    }

    @Test("no function is longer than 70 lines")
    func functionsAreShort() {
        check(SizeRules.longFunctions)
    }

    @Test("time, randomness and tasks are handed in, never made on the spot")
    func coreIsDeterministic() {
        check(DeterminismRules.findings)
    }

    @Test("every target imports only what lies below it")
    func importsPointDown() {
        check(ImportRules.findings)
    }

    @Test("nothing crashes or escapes a check without a reason beside it")
    func escapesHaveReasons() {
        check(SafetyRules.findings)
    }

    @Test("names say what a thing is")
    func namesSayWhatThingsAre() {
        check(NamingRules.findings)
    }

    @Test("no file names a path of one machine")
    func pathsAreRelative() {
        let findings = Self.repository.files.flatMap { file in
            file.text.map { PathRules.findings(path: file.path, text: $0) } ?? []
        }
        #expect(findings.isEmpty, "\(findings.report)")
    }

    @Test("every relative link in the documents leads somewhere")
    func linksResolve() {
        let root = Self.repository.root
        let findings = LinkRules.brokenLinks(Self.documents) { path in
            FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
        }
        #expect(findings.isEmpty, "\(findings.report)")
    }

    @Test("every document can be reached from another")
    func documentsAreLinked() {
        let findings = LinkRules.unreachableDocuments(Self.documents)
        #expect(findings.isEmpty, "\(findings.report)")
    }

    private func check(_ rule: (SourceFile) -> [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
        let findings = Self.sources.flatMap(rule)
        #expect(findings.isEmpty, "\(findings.report)", sourceLocation: sourceLocation)
    }
}
