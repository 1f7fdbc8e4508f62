import Crypto
import Synchronization

/// Keeps the keys that requests are signed with: each is good for one day, region and service, and takes four hashes to
/// derive.
package final class SigningKeys: Sendable {
    struct Scope: Hashable {
        var secretAccessKey: String
        var date: String
        var region: String
        var service: String
    }

    /// Days and credentials pass, and few are in use at once.
    private static let countMaximum = 8

    private let keys = Mutex<[Scope: SymmetricKey]>([:])

    /// Keeps none yet.
    package init() {}

    func key(of scope: Scope, derive: () -> SymmetricKey) -> SymmetricKey {
        if let key = keys.withLock({ $0[scope] }) { return key }
        let key = derive()
        keys.withLock { keys in
            if keys.count >= Self.countMaximum { keys.removeAll() }
            keys[scope] = key
        }
        return key
    }
}
