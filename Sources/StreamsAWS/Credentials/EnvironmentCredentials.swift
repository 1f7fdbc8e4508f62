import AWSSigning
import StreamsModel

/// Credentials in the environment, where Lambda puts them too.
struct EnvironmentCredentials: CredentialsSource {
    let environment: [String: String]

    func find() async throws(AWSError) -> AWSCredentials? {
        let key = environment["AWS_ACCESS_KEY_ID"]
        let secret = environment["AWS_SECRET_ACCESS_KEY"]
        guard let key, !key.isEmpty, let secret, !secret.isEmpty else {
            if (key ?? "").isEmpty, (secret ?? "").isEmpty { return nil }
            let (set, missing) =
                (key ?? "").isEmpty
                ? ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID") : ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
            throw AWSError(.noCredentials, "\(set) is set and \(missing) is not: set both, or neither.")
        }
        return try CredentialsText.credentials(
            key: key, secret: secret, token: environment["AWS_SESSION_TOKEN"], from: "the environment")
    }
}

/// Makes credentials of text from outside.
enum CredentialsText {
    /// Spaces and control characters would end up in headers, and are always a mistake of copying.
    static func credentials(
        key: String, secret: String, token: String?, expiration: Timestamp? = nil, from place: String
    ) throws(AWSError) -> AWSCredentials {
        for (name, text) in [("access key id", key), ("secret access key", secret), ("session token", token ?? "")]
        where !text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) {
            throw AWSError(
                .badSetting, "The \(name) in \(place) has spaces or other characters that no key has.")
        }
        return AWSCredentials(
            accessKeyID: key, secretAccessKey: secret, sessionToken: token, expiration: expiration)
    }
}
