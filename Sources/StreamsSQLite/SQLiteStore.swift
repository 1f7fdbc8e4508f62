import Foundation
import GRDB
package import Logging
package import StreamsCore
import StreamsModel
import Synchronization

/// The embedded store: both ports on one SQLite file, for one process.
///
/// WAL and `synchronous=FULL`: a commit returns after its flush to disk. One writer commits what waits, of all topics,
/// as one transaction; readers have connections of their own and never wait for it. ``run()`` must be running for
/// writes to proceed.
package final class SQLiteStore: Sendable {
    let pool: DatabasePool
    let states = Mutex(TopicStates())
    let configuration: SQLiteStoreConfiguration
    let time: any TimeSource
    let logger: Logger
    private let lock: FileLock
    private let queue = Mutex(WriteQueue())
    /// What the writer's thread waits on: a signal for each ``WriteQueue/EnqueueAction/wake``, and one for the end.
    private let wakeUps = DispatchSemaphore(value: 0)
    private let commits = Atomic<Int>(0)
    /// Asks for what was trimmed to be deleted soon.
    let cleaningRequests: AsyncStream<Void>
    let cleaningRequestsInput: AsyncStream<Void>.Continuation
    /// About how many pages of the write-ahead log are not merged into the file yet.
    private let unmergedPages = Atomic<Int>(0)

    /// How many pages of 4 KiB gather before they are merged.
    private static let checkpointPages = 4000

    /// Opens the file, creating or upgrading it as needed.
    ///
    /// - Throws: ``SQLiteStoreError`` when the file is in use, from a newer version, or can not be opened.
    package init(
        configuration: SQLiteStoreConfiguration, time: any TimeSource = SystemTime(),
        logger: Logger = Logger(label: "streams.sqlite")
    ) throws(SQLiteStoreError) {
        self.configuration = configuration
        self.time = time
        self.logger = logger
        (cleaningRequests, cleaningRequestsInput) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        // The lock stands beside the file itself, by whatever link it was named: SQLite's own files do too.
        let file = URL(fileURLWithPath: configuration.path).resolvingSymlinksInPath().path
        lock = try FileLock(path: file + ".lock")
        pool = try Self.open(configuration, file: file)
    }

    private static func open(
        _ configuration: SQLiteStoreConfiguration, file: String
    ) throws(SQLiteStoreError) -> DatabasePool {
        var settings = Configuration()
        settings.label = "streams"
        settings.maximumReaderCount = configuration.readerCount
        settings.busyMode = .timeout(5)
        settings.prepareDatabase { database in
            // Also called for the reading connections, which can set none of this.
            if database.configuration.readonly { return }
            // Before anything is set: a file of somebody else is left as it is.
            guard try Schema.isOurs(database) else { throw SQLiteStoreError.foreign(configuration.path) }
            // Before the first commit, which would rest on what the log shows.
            try LeftoverLog.makeDurable(besides: file)
            // Only takes effect on a new file; it lets retention give space back in small steps.
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            // Inside of a commit a checkpoint would delay its answers: it is done after them.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 0")
            try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
        }
        do {
            let pool = try DatabasePool(path: configuration.path, configuration: settings)
            // After the opening, which sets NORMAL: with that a commit returns before it is flushed.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let migrator = Schema.migrator
            if try pool.read(migrator.hasBeenSuperseded) { throw SQLiteStoreError.tooNew(configuration.path) }
            try migrator.migrate(pool)
            return pool
        } catch let error as SQLiteStoreError {
            throw error
        } catch {
            throw SQLiteStoreError.cannotOpen(configuration.path, reason: "\(error)")
        }
    }

    /// Performs the writes and the retention; returns after ``close()``, when all that was accepted is answered.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepRetention() }
            group.addTask { await self.clean() }
            group.addTask { await self.dropExpiredKeys() }
            await withCheckedContinuation { ended in
                let thread = Thread {
                    self.write()
                    ended.resume()
                }
                thread.name = "streams-writer"
                thread.start()
            }
            group.cancelAll()
        }
        closeFile()
    }

    /// Leaves one file behind, which can be copied as it is.
    ///
    /// Waits for the file without being a task's suspension, which a cancelled task would not be granted.
    private func closeFile() {
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try pool.close()
        } catch {
            logger.error("the data file was not closed cleanly", metadata: ["error": "\(error)"])
        }
    }

    /// The writer: a thread of its own, since a flush to disk blocks, and since one wake-up from a caller to it and one
    /// back are the least that a write can cost.
    private func write() {
        while true {
            wakeUps.wait()
            let operations = queue.withLock { $0.takeAll() }
            if !operations.isEmpty { commit(operations) }
            checkpointIfDue()
            if queue.withLock({ $0.isFinished }) { return }
        }
    }

    /// Takes no more writes and lets those under way finish.
    package func close() {
        queue.withLock { $0.close() }
        cleaningRequestsInput.finish()
        wakeUps.signal()
    }

    /// How many transactions were committed: each that changed something is one flush to disk.
    package var commitCount: Int { commits.load(ordering: .relaxed) }

    /// Hands a change to the writer.
    func enqueue(_ operation: WriteOperation) {
        switch queue.withLock({ $0.enqueue(operation) }) {
        case .wake: wakeUps.signal()
        case .none: break
        case .refuse: operation.fail(StoreError(.closed, effect: .none, "The store is closed."))
        }
    }

    /// Commits the operations as one transaction, then answers each.
    private func commit(_ operations: [WriteOperation]) {
        do {
            let results = try pool.writeWithoutTransaction { database in
                var results: [WriteResult] = []
                try database.inTransaction(.immediate) {
                    var transaction = WriteTransaction(database: database) { appendID in
                        self.states.withLock { $0.produceRecords.entry(of: appendID) }
                    }
                    results = try operations.map { try transaction.perform($0, self.configuration.retentionStep) }
                    try transaction.finish()
                    self.noteTrims(results)
                    return .commit
                }
                self.unmergedPages.add(WriteTransaction.pageEstimate(operations), ordering: .relaxed)
                return results
            }
            commits.add(1, ordering: .relaxed)
            states.withLock { states in
                for result in results { result.apply(to: &states) }
            }
            for (operation, result) in zip(operations, results) { result.answer(operation) }
        } catch {
            let failure = StoreError(error, isWrite: true)
            logger.error("commit failed", metadata: ["error": "\(failure.message)"])
            for operation in operations { operation.fail(failure) }
        }
    }

    /// Moves the low marks in memory before the commit makes the deletion visible.
    ///
    /// A reader that finds nothing there then also finds the mark, and takes the gap for no hole. Where the commit
    /// fails, readers are refused too early what the next step trims anyway.
    private func noteTrims(_ results: [WriteResult]) {
        states.withLock { states in
            for result in results {
                switch result {
                case .trimmed(let marks, _):
                    for (topic, earliest) in marks { states.trimmed(topic, to: earliest) }
                case .changed(let performed):
                    performed.noteBeforeCommit(&states)
                case .put, .created:
                    break
                }
            }
        }
    }

    /// Lets the write-ahead log be merged into the file after the next commit.
    func mergeSoon() { unmergedPages.store(Self.checkpointPages, ordering: .relaxed) }

    /// Merges the write-ahead log into the file once enough has gathered, as far as readers allow.
    private func checkpointIfDue() {
        guard unmergedPages.load(ordering: .relaxed) >= Self.checkpointPages else { return }
        unmergedPages.store(0, ordering: .relaxed)
        do {
            try pool.writeWithoutTransaction { _ = try $0.checkpoint(.passive) }
        } catch {
            logger.error("checkpoint failed", metadata: ["error": "\(error)"])
        }
    }
}
