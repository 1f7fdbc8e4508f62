/// Where a service is reached: scheme, host and what paths begin with.
package struct AWSEndpoint: Sendable, Equatable {
    /// `http` or `https`.
    package var scheme: String
    /// The host, with the port where it is not the scheme's own.
    package var authority: String
    /// What every path begins with, without a slash at its end; mostly empty.
    package var pathPrefix: String

    /// Makes an endpoint of its parts.
    package init(scheme: String, authority: String, pathPrefix: String = "") {
        self.scheme = scheme
        self.authority = authority
        self.pathPrefix = pathPrefix
    }

    /// Reads the URL that a variable of the environment sets.
    ///
    /// - Throws: `badSetting`, naming the variable and never what may be a password in the URL.
    package init(url: String, variable: String) throws(AWSError) {
        // Shown so that a typing error is seen, unless there may be a password in it, or a signature in its query.
        let shown = url.contains { "@?#".contains($0) } ? "" : ", not '\(url.prefix(100))'"
        let wanted = "\(variable) must be a URL such as http://127.0.0.1:4566 or https://s3.example.com" + shown
        guard let mark = url.firstRange(of: "://") else { throw Self.bad(wanted + ": it has no scheme.") }
        let scheme = url[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { throw Self.bad(wanted + ": its scheme is neither.") }
        let rest = url[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else {
            throw Self.bad(wanted + ", without query or fragment.")
        }
        guard !authority.contains("@") else { throw Self.bad(wanted + ", without user name or password.") }
        guard let stripped = Self.checked(authority, isSecure: scheme == "https") else {
            throw Self.bad(wanted + ": its host or port is not valid.")
        }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path.removeLast() }
        guard path.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "%") }) else {
            throw Self.bad(wanted + ": its path has characters that are not allowed.")
        }
        self.init(scheme: scheme, authority: stripped, pathPrefix: String(path))
    }

    /// The host in lower case, with its port unless that is the scheme's own; `nil` where it is none.
    private static func checked(_ authority: Substring, isSecure: Bool) -> String? {
        var host = authority
        var port: Substring?
        let isBracketed = authority.hasPrefix("[")
        if let colon = authority.lastIndex(of: ":"), !isBracketed || authority[..<colon].hasSuffix("]") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        let allowed = { (byte: UInt8) in isHostByte(byte) || (isBracketed && "[:]%".utf8.contains(byte)) }
        guard !host.isEmpty, host.utf8.allSatisfy(allowed), !isBracketed || host.hasSuffix("]") else { return nil }
        guard let port else { return host.lowercased() }
        guard let number = UInt16(port), number > 0 else { return nil }
        return number == (isSecure ? 443 : 80) ? host.lowercased() : "\(host.lowercased()):\(number)"
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func bad(_ message: String) -> AWSError { AWSError(.badSetting, message) }
}
