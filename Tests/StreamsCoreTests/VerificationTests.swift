import StreamsCore
import StreamsModel
import StreamsTesting
import Testing

@Suite("Verification of a topic")
struct VerificationTests {
    private let topic: TopicName
    private let now = Timestamp(milliseconds: 1_702_000_000_000)

    init() throws {
        topic = try TopicName("t")
    }

    private func segment(_ range: ClosedRange<Int>, kind: Segment.Kind = .messages, age: Duration = .seconds(7200))
        throws
        -> Segment
    {
        let first = Offset(integerLiteral: range.lowerBound)
        let timestamp = now.advanced(by: .zero - age)
        var encoder = SegmentEncoder(first: first, timestamp: timestamp, batchBytes: 1, count: range.count)
        if kind == .messages { for number in range { encoder.append(try .of("\(number)")) } }
        return Segment(
            topic: topic, range: first..<first.advanced(by: range.count), kind: kind,
            appendID: AppendID(high: UInt64(range.upperBound), low: 1), previousClaim: nil, timestamp: timestamp,
            body: encoder.body)
    }

    private func head(end: Int, age: Duration = .seconds(7200)) -> TopicHead {
        let at = now.advanced(by: .zero - age)
        return TopicHead(
            earliest: .first, end: Offset(integerLiteral: end), lastClaimStart: nil, lastClaimedAt: at, createdAt: at)
    }

    private func findings(_ head: TopicHead?, _ segments: [Segment]) -> [String] {
        var verifier = TopicVerifier(topic, head: head, at: now)
        for segment in segments { verifier.see(segment.key, .success(segment)) }
        verifier.finish()
        return verifier.findings.map { "\($0.kind.rawValue) \($0.offset.map { "\($0)" } ?? "-")" }
    }

    @Test("finds nothing in what is sound")
    func sound() throws {
        let segments = [try segment(1...2), try segment(3...3, kind: .filler), try segment(4...6)]
        #expect(findings(head(end: 7), segments) == [])
        #expect(findings(head(end: 1), []) == [])
        #expect(findings(nil, []) == [])
    }

    @Test("tells old holes from writes that may still come")
    func holes() throws {
        #expect(findings(head(end: 6), [try segment(1...2), try segment(4...5)]) == ["gap 3"])
        #expect(findings(head(end: 6), [try segment(2...5)]) == ["gap 1"])
        #expect(findings(head(end: 6), [try segment(1...2)]) == ["gap 3"])
        #expect(findings(head(end: 6, age: .seconds(5)), [try segment(1...2)]) == ["unfinished 3"])
        let young = try segment(4...5, age: .seconds(5))
        #expect(findings(head(end: 6), [try segment(1...2), young]) == ["unfinished 3"])
    }

    @Test("finds overlaps, counters that are behind, and segments without an item")
    func counters() throws {
        #expect(findings(head(end: 4), [try segment(1...2), try segment(2...3)]) == ["overlap 2"])
        #expect(findings(head(end: 2), [try segment(1...3)]) == ["counter behind 3"])
        #expect(findings(nil, [try segment(1...3)]) == ["no item -"])
    }

    @Test("finds what a segment says wrongly of itself")
    func defects() throws {
        var shorter = try segment(1...3)
        shorter.body.removeLast(10)
        var moved = try segment(1...3)
        moved.range = 2..<5
        var longer = try segment(1...3)
        longer.range = 1..<3
        var later = try segment(1...3)
        later.timestamp = now
        var full = try segment(1...1, kind: .filler)
        full.body = Array("{}\n".utf8)
        for segment in [shorter, moved, longer, later, full] {
            let head = head(end: Int(segment.range.upperBound.rawValue))
            #expect(findings(head, [segment]).contains("segment \(segment.range.last)"), "\(segment.shape)")
        }
    }
}
