@testable import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

/// What several writers and readers saw of a topic, and whether it fits the promises.
struct LogHistory: Sendable {
    /// One append: the payloads are its own, and found nowhere else.
    struct Append: Sendable {
        var writer: Int
        var payloads: [String]
        var outcome: Result<AppendReceipt, StreamsError>
    }

    /// What one reader got, in the order in which it got it.
    struct Reading: Sendable {
        var texts: [String] = []
    }

    var appends: [Append] = []
    var readings: [Reading] = []

    /// What is wrong with it; `truth` is what a reader gets from beginning to end after everything has come to rest.
    func violations(truth: [String]) -> [String] {
        var violations: [String] = []
        var offsetOf: [String: Int64] = [:]
        for text in truth {
            let parts = text.split(separator: ":", maxSplits: 1)
            guard let offset = Int64(parts[0]), parts.count == 2 else { continue }
            if let earlier = offsetOf.updateValue(offset, forKey: String(parts[1])) {
                violations.append("\(parts[1]) is there twice: at \(earlier) and \(offset)")
            }
        }
        for append in appends { violations += violationsOf(append, offsetOf) }
        violations += violationsOfOrder(offsetOf)
        for (index, reading) in readings.enumerated() where reading.texts != truth {
            violations.append("reader \(index) got \(reading.texts), and not \(truth)")
        }
        return violations
    }

    private func violationsOf(_ append: Append, _ offsetOf: [String: Int64]) -> [String] {
        let found = append.payloads.map { offsetOf[$0] }
        switch append.outcome {
        case .success(let receipt):
            let promised = (0..<append.payloads.count).map { receipt.range.lowerBound.rawValue + Int64($0) }
            if found == promised { return [] }
            return ["\(append.payloads) was acknowledged at \(receipt.range) and is at \(found)"]
        case .failure(let error) where error.code == .unavailable:
            if found.allSatisfy({ $0 == nil }) { return [] }
            return ["\(append.payloads) was said not to be written and is at \(found)"]
        case .failure(let error) where error.code == .outcomeUnknown:
            let first = found.first.flatMap { $0 }
            let whole = first.map { first in (0..<found.count).map { Int64($0) + first } }
            if found.allSatisfy({ $0 == nil }) || found == whole?.map({ $0 }) { return [] }
            return ["\(append.payloads) is there in part: \(found)"]
        case .failure(let error):
            return ["\(append.payloads) met an error that is none of its own: \(error)"]
        }
    }

    /// Each writer waits for an answer before its next append, so its acknowledged messages are in order.
    private func violationsOfOrder(_ offsetOf: [String: Int64]) -> [String] {
        var violations: [String] = []
        for (writer, appends) in Dictionary(grouping: appends, by: \.writer) {
            var last: Int64 = 0
            for append in appends {
                guard case .success = append.outcome else { continue }
                for payload in append.payloads {
                    guard let offset = offsetOf[payload] else { continue }
                    if offset <= last {
                        violations.append("\(payload) of writer \(writer) is at \(offset), after \(last)")
                    }
                    last = offset
                }
            }
        }
        return violations
    }
}
