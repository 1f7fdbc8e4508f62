import StreamsCore
import StreamsModel

/// The members of a small JSON object: the body of a request that changes something.
///
/// Each member is asked for once; ``finish()`` refuses the ones that nobody asked for. What is not JSON is reported
/// before what has the wrong shape.
struct JSONObjectReader {
    /// What stands at a member.
    private enum Value {
        case text(String)
        case number(String)
        case null
        case other
    }

    /// A position in a topic, as a member names it.
    enum Place: Equatable {
        case earliest
        case latest
        case offset(Offset)
    }

    private var members: [(name: String, value: Value)] = []

    /// Reads a body.
    ///
    /// An empty one is an object without members where it `isOptional`.
    /// - Throws: `body_required`, `invalid_json`, `invalid_parameter`, `too_large`.
    init(_ body: [UInt8], isOptional: Bool = false, limits: Limits) throws(StreamsError) {
        if body.isEmpty {
            if isOptional { return }
            throw StreamsError(.bodyRequired, "Send a body: a JSON object.")
        }
        let found: Result<[(name: String, value: Value)]?, StreamsError>
        do throws(JSONScanner.Failure) {
            found = .success(try Self.members(of: body.span, limits))
        } catch {
            found = .failure(StreamsError(error, limits))
        }
        guard let members = try found.get() else {
            throw .invalidParameter("body", "The body is a JSON object.")
        }
        self.members = members
        var seen: Set<String> = []
        for member in members where !seen.insert(member.name).inserted {
            let shown = StreamsError.shown(member.name)
            throw .invalidParameter(shown, "'\(shown)' is given twice.")
        }
    }

    /// The members of the object; `nil` where the text is JSON of another kind.
    private static func members(
        of bytes: Span<UInt8>, _ limits: Limits
    ) throws(JSONScanner.Failure) -> [(name: String, value: Value)]? {
        var scanner = JSONScanner(end: bytes.count, nestingMaximum: limits.jsonNesting)
        guard scanner.peek(in: bytes) == UInt8(ascii: "{") else {
            _ = try scanner.value(in: bytes)
            try scanner.finish(in: bytes)
            return nil
        }
        var members: [(name: String, value: Value)] = []
        if try scanner.begin(UInt8(ascii: "{"), until: UInt8(ascii: "}"), in: bytes) {
            repeat {
                let name = try scanner.memberName(in: bytes)
                let value = try scanner.value(in: bytes)
                members.append((JSONText.decode(name, in: bytes), Self.value(value, in: bytes)))
            } while try scanner.goesOn(until: UInt8(ascii: "}"), in: bytes)
        }
        try scanner.finish(in: bytes)
        return members
    }

    private static func value(_ span: Range<Int>, in bytes: Span<UInt8>) -> Value {
        switch bytes[span.lowerBound] {
        case UInt8(ascii: "\""): .text(JSONText.decode(span, in: bytes))
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            .number(String(decoding: span.map { bytes[$0] }, as: UTF8.self))
        default: .other
        }
    }

    private mutating func take(_ name: String) -> Value? {
        guard let index = members.firstIndex(where: { $0.name == name }) else { return nil }
        return members.remove(at: index).value
    }

    /// Whether a member is there and has not been asked for, `null` or not.
    func has(_ name: String) -> Bool { members.contains { $0.name == name } }

    /// A member that is a string, or `null` where `isNullable`; `nil` where it is absent or `null`.
    mutating func text(_ name: String, isNullable: Bool = false) throws(StreamsError) -> String? {
        switch take(name) {
        case nil: return nil
        case .text(let text): return text
        case .null where isNullable: return nil
        default:
            throw .invalidParameter(name, "'\(name)' is a string\(isNullable ? " or null" : "").")
        }
    }

    /// A member that is an integer within bounds, or `null` where `isNullable`; `nil` where it is absent or `null`.
    mutating func integer(
        _ name: String, in bounds: ClosedRange<Int64>, isNullable: Bool = false
    ) throws(StreamsError) -> Int64? {
        switch take(name) {
        case nil: return nil
        case .null where isNullable: return nil
        case .number(let text):
            if let number = Int64(text), bounds.contains(number) { return number }
            fallthrough
        default:
            throw .invalidParameter(
                name,
                "'\(name)' is an integer from \(bounds.lowerBound) to \(bounds.upperBound)"
                    + "\(isNullable ? ", or null" : "").")
        }
    }

    /// A member that is a number of seconds, with decimals or without; `nil` where it is absent.
    mutating func seconds(_ name: String, in bounds: ClosedRange<Double>) throws(StreamsError) -> Duration? {
        switch take(name) {
        case nil: return nil
        case .number(let text):
            if let number = Double(text), bounds.contains(number) {
                return .milliseconds(Int64((number * 1000).rounded()))
            }
            fallthrough
        default:
            throw .invalidParameter(
                name, "'\(name)' is a number of seconds from \(bounds.lowerBound) to \(bounds.upperBound).")
        }
    }

    /// A member that names a position: an offset, `"earliest"` or `"latest"`; `nil` where it is absent.
    mutating func place(_ name: String) throws(StreamsError) -> Place? {
        switch take(name) {
        case nil: return nil
        case .text("earliest"): return .earliest
        case .text("latest"): return .latest
        case .number(let text):
            if let offset = Int64(text).flatMap({ Offset($0) }) { return .offset(offset) }
            fallthrough
        default:
            throw .invalidParameter(name, "'\(name)' is an offset from 1 on, \"earliest\" or \"latest\".")
        }
    }

    /// Refuses a member that nobody asked for.
    func finish() throws(StreamsError) {
        if let unknown = members.first { throw .unknownMember(unknown.name) }
    }
}

extension StreamsError {
    /// A body that is not JSON, or is nested too deeply.
    init(_ failure: JSONScanner.Failure, _ limits: Limits) {
        switch failure {
        case .syntax(let position, let reason):
            self.init(.invalidJSON, "The body is not JSON at byte \(position): \(reason).") {
                $0.position = position
            }
        case .tooDeep(let position):
            self.init(
                .tooLarge, "Arrays and objects are nested at most \(limits.jsonNesting) deep; see byte \(position)."
            ) {
                $0.limit = "json_nesting"
                $0.limitValue = limits.jsonNesting
                $0.position = position
            }
        }
    }

    /// A member that has no meaning where it stands.
    static func unknownMember(_ name: String) -> StreamsError {
        let shown = shown(name)
        return .invalidParameter(shown, "There is no member '\(shown)' here.")
    }

    /// The beginning of a name that came from outside: enough to recognize it, whatever its length.
    static func shown(_ name: String) -> String {
        name.unicodeScalars.count <= 100 ? name : String(name.unicodeScalars.prefix(99)) + "…"
    }
}
