import ArgumentParser
import Foundation
import StreamsAWS
import StreamsCore
import StreamsModel
import StreamsSQLite

/// `streams verify`: reads a whole store and reports every inconsistency.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Read a whole store and report every inconsistency, one a line.",
        discussion: """
            Changes nothing, and works beside a running server. Ends with 0 when the store is sound (notes do not count), \
            with 1 when it is not, with 2 when it could not be read.
            """)

    @OptionGroup var options: StoreOptions

    func run() async throws {
        let interruption = Interruption()
        let listeners = interruption.listen()
        defer { for listener in listeners { listener.cancel() } }
        let store: any InspectedStore
        var time: any TimeSource = SystemTime()
        switch try options.kind {
        case .aws:
            let aws = try options.openAWS(StoreOptions.makeLogger())
            store = aws.store
            time = aws.connection.clock
        case .sqlite:
            do {
                store = try SQLiteInspection(path: options.path)
            } catch let error as SQLiteStoreError {
                Terminal.report("streams: \(error)")
                throw ExitCode(2)
            }
        }
        let summary: Verification.Summary
        do throws(StoreError) {
            summary = try await Verification(store, time: time).run(
                { Terminal.output(Array(($0.line + "\n").utf8)) }, goesOn: { !interruption.hasCome })
        } catch {
            Terminal.report("streams: \(error.message)")
            throw ExitCode(2)
        }
        print(
            "\(summary.topics) topics, \(summary.segments) segments, \(summary.messages) messages: \(summary.errors) "
                + "errors, \(summary.notes) notes.")
        if summary.errors > 0 { throw ExitCode(1) }
    }
}
