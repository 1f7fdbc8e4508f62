/// Dependencies point down, as drawn in `docs/architecture.md`.
enum ImportRules {
    /// What each target may import: our own targets and libraries of others.
    static let allowed: [String: Set<String>] = [
        "StreamsModel": [],
        "StreamsCore": [
            "StreamsModel", "BasicContainers", "Collections", "DequeModule", "HeapModule", "Logging",
            "OrderedCollections",
        ],
        "StreamsSQLite": [
            "StreamsModel", "StreamsCore", "DequeModule", "Foundation", "FoundationEssentials", "GRDB",
            "GRDBSQLite", "Logging",
        ],
        "AWSSigning": ["StreamsModel", "Crypto"],
        "StreamsAWS": [
            "StreamsModel", "StreamsCore", "AWSSigning", "AsyncHTTPClient", "Crypto", "FoundationEssentials", "Logging",
            "NIOCore", "NIOHTTP1", "NIOPosix",
        ],
        "StreamsAPI": ["StreamsModel", "FoundationEssentials", "HTTPTypes"],
        "StreamsHTTP": [
            "StreamsModel", "StreamsCore", "StreamsAPI", "Crypto", "FoundationEssentials", "HTTPTypes", "Logging",
        ],
        "StreamsServer": [
            "StreamsModel", "StreamsCore", "StreamsAPI", "StreamsHTTP", "StreamsMetrics", "DequeModule", "Foundation",
            "CoreMetrics", "FoundationEssentials", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "Metrics",
            "NIOConcurrencyHelpers",
            "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "ServiceLifecycle", "UnixSignals",
        ],
        "StreamsMetrics": ["StreamsCore", "CoreMetrics"],
        "LambdaRuntime": ["AsyncHTTPClient", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix"],
        "StreamsLambda": [
            "StreamsModel", "StreamsCore", "StreamsAPI", "StreamsHTTP", "StreamsMetrics", "LambdaRuntime",
            "FoundationEssentials", "HTTPTypes", "Logging",
        ],
        "bootstrap": [
            "StreamsModel", "StreamsCore", "StreamsAPI", "StreamsHTTP", "StreamsMetrics", "StreamsAWS", "StreamsLambda",
            "LambdaRuntime", "AsyncHTTPClient", "CoreMetrics", "FoundationEssentials", "Logging", "NIOCore", "NIOPosix",
            "UnixSignals",
        ],
        "StreamsClient": [
            "StreamsModel", "StreamsAPI", "AsyncHTTPClient", "Foundation", "FoundationEssentials",
            "HTTPTypes", "Logging", "NIOCore", "NIOFoundationCompat", "NIOHTTP1", "NIOPosix",
        ],
        "StreamsTesting": [
            "StreamsModel", "StreamsCore", "StreamsHTTP", "DequeModule", "Foundation", "FoundationEssentials",
            "HTTPTypes", "Logging", "Testing",
        ],
    ]

    /// Of the standard library and the system: open to all.
    private static let system: Set<String> = [
        "Swift", "Synchronization", "_Concurrency", "Glibc", "Musl", "Darwin", "Android",
    ]

    /// The executables choose the adapters, and may import anything; `bootstrap`, which has to stay small, may not.
    static let executables: Set<String> = ["streams"]

    /// Where even the whole of Foundation is too much.
    static let withoutFoundation: Set<String> = [
        "StreamsModel", "StreamsCore", "StreamsAPI", "StreamsHTTP", "StreamsMetrics", "AWSSigning", "StreamsAWS",
        "LambdaRuntime", "StreamsLambda", "bootstrap",
    ]

    static func findings(_ file: SourceFile) -> [Finding] {
        if executables.contains(file.target) { return [] }
        guard let allowed = allowed[file.target] else {
            let message =
                "target `\(file.target)` is not in the table of \(ImportRules.self): say there what it may import"
            return [Finding(path: file.path, line: 0, message: message)]
        }
        return file.code.enumerated().compactMap { line, code in
            guard let module = importedModule(in: code), module != file.target,
                !system.contains(module), !allowed.contains(module), !file.allows(line: line),
                !isFoundationOfApple(module, line, file.code, allowed)
            else { return nil }
            return Finding(path: file.path, line: line + 1, message: message(module: module, target: file.target))
        }
    }

    /// Whether a line stands where Apple's systems, which have no `FoundationEssentials` apart, import all of it.
    private static func isFoundationOfApple(
        _ module: String, _ line: Int, _ code: [String], _ allowed: Set<String>
    ) -> Bool {
        guard module == "Foundation", allowed.contains("FoundationEssentials"), line >= 3 else { return false }
        return code[line - 1].hasPrefix("#else") && code[line - 3] == "#if canImport(FoundationEssentials)"
    }

    private static func message(module: String, target: String) -> String {
        if module == "Foundation", withoutFoundation.contains(target) {
            return "`import Foundation` in \(target): use the standard library"
                + (allowed[target]?.contains("FoundationEssentials") == true ? ", or `FoundationEssentials`" : "")
        }
        return "\(target) must not import \(module): dependencies point down, see docs/architecture.md"
    }

    /// The module that a line imports: `package import struct Foundation.Data` gives `Foundation`.
    static func importedModule(in code: String) -> String? {
        var words = code.split(separator: " ")[...]
        while let word = words.first, word.hasPrefix("@") || ImportRules.accessWords.contains(word) {
            words.removeFirst()
        }
        guard words.first == "import" else { return nil }
        words.removeFirst()
        if let kind = words.first, kindWords.contains(kind) { words.removeFirst() }
        return words.first?.split(separator: ".").first.map(String.init)
    }

    private static let accessWords: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    private static let kindWords: Set<Substring> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "let", "var",
    ]
}
