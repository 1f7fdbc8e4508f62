import Foundation

/// The files of this repository: those that git tracks, and new ones that it does not ignore.
///
/// Where there is no git (a source archive), all files but hidden ones and what a build leaves behind.
struct Repository {
    /// One file, read when asked for.
    struct File {
        /// The path from the repository's root.
        var path: String
        var url: URL

        /// The content, or `nil` for what is not UTF-8 text.
        var text: String? {
            guard let data = try? Data(contentsOf: url), !data.prefix(8000).contains(0) else { return nil }
            return String(data: data, encoding: .utf8)
        }
    }

    let root: URL
    let files: [File]

    /// Lists the repository that this test file belongs to.
    init(sourcePath: String = #filePath) {
        // …/Tests/TidyTests/Repository.swift
        let root = URL(fileURLWithPath: sourcePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        self.root = root
        let paths = Repository.pathsFromGit(root) ?? Repository.pathsFromDisk(root)
        files = paths.sorted().compactMap { path in
            let url = root.appendingPathComponent(path)
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), !isDirectory.boolValue
            else { return nil }
            return File(path: path, url: url)
        }
    }

    /// The Swift files below `Sources/`, taken apart.
    var sources: [SourceFile] {
        files.filter { $0.path.hasPrefix("Sources/") && $0.path.hasSuffix(".swift") }.compactMap { file in
            file.text.map { SourceFile(path: file.path, text: $0) }
        }
    }

    /// All Markdown files.
    var documents: [MarkdownFile] {
        files.filter { $0.path.hasSuffix(".md") }.compactMap { file in
            file.text.map { MarkdownFile(path: file.path, text: $0) }
        }
    }

    private static func pathsFromGit(_ root: URL) -> [String]? {
        let git = Process()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        git.arguments = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        git.currentDirectoryURL = root
        let output = Pipe()
        git.standardOutput = output
        git.standardError = FileHandle.nullDevice
        guard (try? git.run()) != nil else { return nil }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        git.waitUntilExit()
        guard git.terminationStatus == 0 else { return nil }
        return data.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func pathsFromDisk(_ root: URL) -> [String] {
        guard let walk = FileManager.default.enumerator(atPath: root.path) else { return [] }
        var paths: [String] = []
        for case let path as String in walk {
            let name = path.split(separator: "/").last ?? ""
            if name.hasPrefix("."), name != ".ci" {
                walk.skipDescendants()
            } else {
                paths.append(path)
            }
        }
        return paths
    }
}
