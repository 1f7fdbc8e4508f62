/// The shared files of the AWS tools: `~/.aws/credentials` and `~/.aws/config`.
///
/// AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
struct ProfileFiles {
    let profileName: String
    /// Whether somebody asked for this profile by name.
    let isNamed: Bool
    let credentialsPath: String?
    let configPath: String?
    private let readFile: @Sendable (String) -> [UInt8]?

    /// `environment` has no empty values.
    init(environment: [String: String], readFile: @escaping @Sendable (String) -> [UInt8]?) {
        profileName = environment["AWS_PROFILE"] ?? environment["AWS_DEFAULT_PROFILE"] ?? "default"
        isNamed = environment["AWS_PROFILE"] ?? environment["AWS_DEFAULT_PROFILE"] != nil
        let home = environment["HOME"]
        let expand = { (path: String) in
            guard let home, path.hasPrefix("~/") else { return path }
            return home + path.dropFirst()
        }
        credentialsPath = (environment["AWS_SHARED_CREDENTIALS_FILE"] ?? home.map { $0 + "/.aws/credentials" }).map(
            expand)
        configPath = (environment["AWS_CONFIG_FILE"] ?? home.map { $0 + "/.aws/config" }).map(expand)
        self.readFile = readFile
    }

    /// The settings of the profile from both files, those of the credentials file first; `nil` where neither has it.
    func profile() -> [String: String]? {
        let fromCredentials = section(profileName, in: credentialsPath)
        let fromConfig =
            section("profile " + profileName, in: configPath)
            ?? (profileName == "default" ? section("default", in: configPath) : nil)
        guard fromCredentials != nil || fromConfig != nil else { return nil }
        return (fromConfig ?? [:]).merging(fromCredentials ?? [:]) { $1 }
    }

    private func section(_ name: String, in path: String?) -> [String: String]? {
        guard let path, let bytes = readFile(path) else { return nil }
        return Self.parse(String(decoding: bytes, as: UTF8.self))[name]
    }

    /// Reads sections of `name = value` lines.
    ///
    /// Lines that are neither are passed over, as are nested (indented) ones.
    static func parse(_ text: String) -> [String: [String: String]] {
        var sections: [String: [String: String]] = [:]
        var current: String?
        for line in text.split(whereSeparator: \.isNewline) {
            guard let first = line.first, first != "#", first != ";" else { continue }
            if first == "[" {
                current = line.firstIndex(of: "]").map { words(line[..<$0].dropFirst()) }
                if let current { sections[current, default: [:]].merge([:]) { $1 } }
            } else if !first.isWhitespace, let current, let equals = line.firstIndex(of: "=") {
                let name = trimmed(line[..<equals]).lowercased()
                sections[current, default: [:]][name] = value(line[line.index(after: equals)...])
            }
        }
        return sections
    }

    /// The words of a heading, with single spaces: `[ profile   dev ]` is `profile dev`.
    private static func words(_ text: Substring) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// A value ends where a comment begins, which needs white space before it.
    private static func value(_ text: Substring) -> String {
        var previous: Character = " "
        var end = text.endIndex
        for index in text.indices {
            if text[index] == "#" || text[index] == ";", previous.isWhitespace, index != text.startIndex {
                end = index
                break
            }
            previous = text[index]
        }
        return trimmed(text[..<end])
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
