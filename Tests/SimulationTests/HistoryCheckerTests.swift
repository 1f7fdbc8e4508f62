@testable import Simulation
import Testing

/// The checker checked: histories that are sound, and one for each promise that is not.
@Suite("The checker of histories")
struct HistoryCheckerTests {
    private func append(
        _ messages: [Int], at offset: Int64, _ begin: Int64, _ end: Int64
    ) -> History.Append {
        History.Append(
            client: "w", begin: begin, end: end, messages: messages,
            outcome: .acknowledged(offset..<offset + Int64(messages.count)))
    }

    private func read(
        _ from: Int64, _ next: Int64, _ messages: [(Int64, Int)], at begin: Int64 = 50, end topicEnd: Int64 = 100,
        wait: Int64 = 0, until end: Int64 = 60
    ) -> History.Read {
        History.Read(
            client: "r", process: "A1", begin: begin, end: end, from: from, next: next, topicEnd: topicEnd, wait: wait,
            messages: messages.map { History.Message(offset: $0.0, number: $0.1) })
    }

    private func broken(_ fill: (inout History) -> Void) -> Set<Violation.Promise> {
        var history = History()
        fill(&history)
        return Set(HistoryChecker.violations(in: history).map(\.promise))
    }

    @Test("finds nothing wrong with what is right")
    func sound() {
        let promises = broken { history in
            history.appends = [
                append([1, 2], at: 1, 0, 10), append([3], at: 4, 5, 20),
                History.Append(client: "w", begin: 0, end: 30, messages: [4], outcome: .refused),
                History.Append(client: "w", begin: 0, end: 30, messages: [5, 6], outcome: .unknown),
                History.Append(client: "w", begin: 0, end: 30, messages: [7, 8], outcome: .unknown),
            ]
            history.reads = [
                read(1, 3, [(1, 1), (2, 2)]), read(3, 3, []), read(3, 7, [(4, 3), (5, 7), (6, 8)]),
                read(1, 7, [(1, 1), (2, 2), (4, 3), (5, 7), (6, 8)]),
            ]
        }
        #expect(promises == [])
    }

    @Test("finds an acknowledged message that a reader passed")
    func lost() {
        #expect(
            broken {
                $0.appends = [append([1], at: 1, 0, 10)]
                $0.reads = [read(1, 2, [])]
            } == [.durable])
    }

    @Test("finds a seek by time that passed a message, and one that stopped too early, where times rise")
    func timeSeeks() {
        func seek(since: Int64, _ messages: [(Int64, Int64)]) -> History.Read {
            var seek = read(messages.first?.0 ?? 3, 3, messages.map { ($0.0, Int($0.0)) })
            seek.since = since
            for (index, message) in messages.enumerated() { seek.messages[index].timestamp = message.1 }
            return seek
        }
        func promises(_ last: History.Read, times: [Int64] = [100, 200]) -> Set<Violation.Promise> {
            broken {
                $0.appends = [append([1], at: 1, 0, 10), append([2], at: 2, 20, 30)]
                $0.reads = [seek(since: 0, [(1, times[0]), (2, times[1])]), last]
            }
        }
        #expect(promises(seek(since: 150, [(2, 200)])) == [])
        #expect(promises(seek(since: 201, [])) == [])
        #expect(promises(seek(since: 150, [])) == [.durable])
        #expect(promises(seek(since: 150, [(1, 100), (2, 200)])) == [.truthful])
        // Where clocks went back nothing is promised.
        #expect(promises(seek(since: 150, []), times: [200, 100]) == [])
    }

    @Test("finds a message that appeared behind a reader")
    func late() {
        #expect(broken { $0.reads = [read(1, 2, []), read(1, 2, [(1, 9)])] } == [.agreed])
    }

    @Test("finds two messages at one offset, and one message at two")
    func twice() {
        #expect(broken { $0.reads = [read(1, 2, [(1, 1)]), read(1, 2, [(1, 2)])] } == [.agreed])
        #expect(broken { $0.reads = [read(1, 3, [(1, 1), (2, 1)])] } == [.once])
    }

    @Test("finds messages out of order or out of place in one answer")
    func disorder() {
        #expect(broken { $0.reads = [read(1, 3, [(2, 2), (1, 1)])] } == [.agreed])
        #expect(broken { $0.reads = [read(3, 4, [(2, 2)])] } == [.agreed])
    }

    @Test("finds a batch of which a part is there")
    func torn() {
        #expect(
            broken {
                $0.appends = [History.Append(client: "w", begin: 0, end: 1, messages: [1, 2], outcome: .unknown)]
                $0.reads = [read(1, 3, [(1, 1)])]
            } == [.whole])
    }

    @Test("finds offsets against the order in time")
    func order() {
        #expect(
            broken {
                $0.appends = [append([1], at: 2, 0, 10), append([2], at: 1, 11, 20)]
                $0.reads = [read(1, 3, [(1, 2), (2, 1)])]
            } == [.ordered])
        // Side by side either order is right.
        #expect(
            broken {
                $0.appends = [append([1], at: 2, 0, 10), append([2], at: 1, 10, 20)]
                $0.reads = [read(1, 3, [(1, 2), (2, 1)])]
            } == [])
    }

    @Test("finds an append that is there though it was said not to be")
    func falseRefusal() {
        #expect(
            broken {
                $0.appends = [History.Append(client: "w", begin: 0, end: 1, messages: [1], outcome: .refused)]
                $0.reads = [read(1, 2, [(1, 1)])]
            } == [.truthful])
    }

    @Test("finds an end below what was acknowledged before")
    func end() {
        #expect(
            broken {
                $0.appends = [append([1, 2], at: 1, 0, 10)]
                $0.reads = [read(1, 1, [], end: 2)]
            } == [.durable])
    }

    @Test("finds messages that are said to be gone before their time")
    func trimmedTooEarly() {
        func promises(askedAt time: Int64) -> Set<Violation.Promise> {
            broken {
                $0.retention = 1000
                $0.appends = [append([1], at: 1, 0, 10)]
                $0.refusals = [
                    History.Refusal(client: "r", begin: time, end: time, from: 1, earliest: 2, topicEnd: 2)
                ]
            }
        }
        #expect(promises(askedAt: 900) == [.kept])
        #expect(promises(askedAt: 1100) == [])
    }

    @Test("finds a reader that slept on while its message was there")
    func missedWakeUp() {
        func promises(acknowledgedAt time: Int64) -> Set<Violation.Promise> {
            broken {
                $0.expectsWakeUps = true
                $0.appends = [append([1], at: 1, time - 1, time)]
                $0.reads = [read(1, 1, [], at: 0, wait: 60_000_000, until: 60_000_000)]
            }
        }
        #expect(promises(acknowledgedAt: 5_000_000) == [.live])
        #expect(promises(acknowledgedAt: 55_000_000) == [])
    }

    @Test("takes a history of 100,000 operations, and finds the one thing that is wrong with it")
    func large() {
        var history = History()
        for number in 0..<60_000 {
            let time = Int64(number) * 100
            history.appends.append(append([number * 2, number * 2 + 1], at: Int64(number) * 2 + 1, time, time + 90))
        }
        for number in 0..<40_000 {
            let from = Int64(number) * 3 + 1
            let messages = (from..<from + 3).filter { $0 <= 120_000 }.map { ($0, Int($0) - 1) }
            history.reads.append(read(from, from + Int64(messages.count), messages, at: 6_000_000, end: 200_000))
        }
        #expect(HistoryChecker.violations(in: history) == [])
        history.reads[20_000].messages.remove(at: 1)
        #expect(HistoryChecker.violations(in: history).map(\.promise) == [.durable])
    }
}
