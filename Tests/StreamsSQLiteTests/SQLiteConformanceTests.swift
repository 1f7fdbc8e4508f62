import Foundation
import StreamsSQLite
import StreamsTesting
import Testing

@Suite("The SQLite store")
struct SQLiteConformanceTests {
    private typealias Conformance = PortConformance<SQLiteStore>

    @Test("keeps the promises of the ports", arguments: Conformance.checks)
    private func conforms(check: Conformance.Check) async throws {
        try await Conformance(withStore: withTemporaryStore).run(check)
    }
}

/// Runs the body with a store in a directory of its own, which is removed afterwards.
@Sendable
private func withTemporaryStore(_ body: @Sendable (SQLiteStore) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("streams-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    // Without retention: the messages of the suite are years old, or of 1970.
    let path = directory.appendingPathComponent("streams.db").path
    let configuration = SQLiteStoreConfiguration(path: path, retention: nil)
    let store = try SQLiteStore(configuration: configuration)
    async let running: Void = store.run()
    let outcome: Result<Void, any Error>
    do {
        outcome = .success(try await body(store))
    } catch {
        outcome = .failure(error)
    }
    // The store ends its run when it is closed; the file is removed only after that.
    store.close()
    await running
    try outcome.get()
}
