#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The files of this machine.
package enum SystemFiles {
    /// Reads a small file whole; `nil` where it is not there or must not be read.
    @Sendable
    package static func read(_ path: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path).map { Array($0) }
    }
}
