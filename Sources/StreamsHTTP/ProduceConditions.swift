import Crypto
import HTTPTypes
import StreamsCore
import StreamsModel

extension HTTPField.Name {
    /// Makes a request recognisable when it comes again.
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")
    /// The offset that the first message must get.
    static let expectedOffset = HTTPField.Name("Expected-Offset")
    /// The token that must be the topic's.
    static let fencingToken = HTTPField.Name("Fencing-Token")
    /// Tells that the answer is that to an earlier request.
    static let idempotencyReplayed = HTTPField.Name("Idempotency-Replayed")
}

extension HTTPFields {
    /// The one value of a field whose name is sound; `nil` where it is absent.
    ///
    /// - Throws: `invalid_parameter` where it is given more than once: which one counts is not for us to guess.
    func single(_ name: HTTPField.Name?) throws(StreamsError) -> String? {
        guard let name else { return nil }
        let values = self[values: name]
        guard values.count <= 1 else {
            throw .invalidParameter(name.rawName, "The header '\(name.rawName)' is given more than once.")
        }
        return values.first
    }

    /// The fencing token that a request carries.
    func fencingToken() throws(StreamsError) -> FencingToken? {
        guard let text = try single(.fencingToken) else { return nil }
        return try FencingToken(text)
    }
}

extension AppendConditions {
    /// Reads the conditions of a produce request from its header fields.
    ///
    /// - Throws: `invalid_parameter`, which names the header.
    init(_ headers: HTTPFields, body: [UInt8], mediaType: String) throws(StreamsError) {
        self.init()
        if let text = try headers.single(.idempotencyKey) {
            let key = try IdempotencyKey(text)
            idempotency = RequestDigest(of: body, mediaType: mediaType).map { Idempotency(key: key, digest: $0) }
        }
        if let text = try headers.single(.expectedOffset) {
            guard let offset = QueryParameters.decimal(text).flatMap({ Offset(Int64($0)) }) else {
                throw .invalidParameter("Expected-Offset", "'Expected-Offset' is an offset: a whole number from 1 on.")
            }
            expectedOffset = offset
        }
        fencingToken = try headers.fencingToken()
    }
}

extension RequestDigest {
    /// The digest of a body: its bytes, and what they are taken for, since one text can mean two things.
    init?(of body: [UInt8], mediaType: String) {
        var hash = SHA256()
        hash.update(data: Array((mediaType + "\n").utf8))
        hash.update(data: body)
        self.init(Array(hash.finalize()))
    }
}
