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
        "StreamsHTTP": ["StreamsModel", "StreamsCore", "StreamsAPI", "FoundationEssentials", "HTTPTypes", "Logging"],
        "StreamsServer": [
            "StreamsModel", "StreamsCore", "StreamsAPI", "StreamsHTTP", "DequeModule", "Foundation",
            "CoreMetrics", "FoundationEssentials", "HTTPTypes", "Hummingbird", "HummingbirdCore", "Logging", "Metrics",
            "NIOConcurrencyHelpers",
            "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOPosix", "ServiceLifecycle", "UnixSignals",
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

    /// The executables choose the adapters, and may import anything that is not another executable.
    static let executables: Set<String> = ["streams", "bootstrap"]

    /// Where even the whole of Foundation is too much.
    static let withoutFoundation: Set<String> = [
        "StreamsModel", "StreamsCore", "StreamsAPI", "StreamsHTTP", "AWSSigning", "StreamsAWS",
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
                !system.contains(module), !allowed.contains(module), !file.allows(line: line)
            else { return nil }
            return Finding(path: file.path, line: line + 1, message: message(module: module, target: file.target))
        }
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
