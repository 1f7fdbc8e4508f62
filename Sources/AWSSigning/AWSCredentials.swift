package import StreamsModel

/// An access key, as AWS gives it out; whoever holds its secret may act in its name.
///
/// Nothing that prints it shows the secret or the token.
package struct AWSCredentials: Sendable, Equatable {
    /// Names the key.
    ///
    /// Not a secret: it is part of every signed request.
    package let accessKeyID: String
    /// What signatures are made with.
    package let secretAccessKey: String
    /// Sent along with keys that were given out for a while; never empty.
    package let sessionToken: String?
    /// When AWS stops taking them, where known.
    package let expiration: Timestamp?

    /// Makes credentials; an empty token means none, as the Lambda emulator and shells set it.
    package init(accessKeyID: String, secretAccessKey: String, sessionToken: String?, expiration: Timestamp? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
        self.expiration = expiration
    }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The access key id alone.
    package var description: String { "AWSCredentials(\(accessKeyID))" }

    /// The access key id alone.
    package var debugDescription: String { description }

    /// What `dump` and string interpolation of a surrounding value see: no secret.
    package var customMirror: Mirror {
        Mirror(self, children: ["accessKeyID": accessKeyID], displayStyle: .struct)
    }
}
