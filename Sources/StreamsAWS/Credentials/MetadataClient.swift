import AWSSigning
import NIOHTTP1

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Asks the small HTTP endpoints that stand beside a container or an instance.
///
/// They are near, or not there at all: a request takes at most a second, and is sent twice at most.
struct MetadataClient: Sendable {
    let transport: any AWSTransport

    static let tryTime = Duration.seconds(1)
    private static let triesMaximum = 2

    /// Sends a request.
    ///
    /// - Throws: the last failure, when there was no answer; answers with a status of 500 and more are asked again.
    func send(
        _ method: HTTPMethod, _ url: String, headers: [(name: String, value: String)] = []
    ) async throws(AWSTransportFailure) -> AWSTransportAnswer {
        var tries = 1
        while true {
            let request = AWSTransportRequest(method: method, url: url, headers: headers)
            do {
                let answer = try await transport.send(request, timeout: Self.tryTime)
                if answer.status < 500 || tries >= Self.triesMaximum { return answer }
            } catch {
                if tries >= Self.triesMaximum || error.kind == .cancelled { throw error }
            }
            tries += 1
        }
    }
}

/// The answer of the container and of the instance endpoint.
struct CredentialsDocument: Decodable {
    var accessKeyID: String
    var secretAccessKey: String
    var token: String?
    var expiration: String?

    private enum CodingKeys: String, CodingKey {
        case accessKeyID = "AccessKeyId"
        case secretAccessKey = "SecretAccessKey"
        case token = "Token"
        case expiration = "Expiration"
    }

    /// `nil` where the bytes are no such document.
    init?(_ bytes: [UInt8]) {
        guard let document = try? JSONDecoder().decode(CredentialsDocument.self, from: Data(bytes)),
            !document.accessKeyID.isEmpty, !document.secretAccessKey.isEmpty
        else { return nil }
        self = document
    }

    /// The credentials, with the time at which they expire.
    ///
    /// - Throws: `badSetting`, naming the place, for texts that no key has; the texts are not shown.
    func credentials(from place: String) throws(AWSError) -> AWSCredentials {
        try CredentialsText.credentials(
            key: accessKeyID, secret: secretAccessKey, token: token, expiration: expiration.flatMap(TimeText.iso8601),
            from: place)
    }
}
