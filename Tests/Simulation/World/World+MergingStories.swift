import StreamsAWS
import StreamsCore
import StreamsModel

/// The stories of maintainers: most are counterexamples of a model of the protocol.
extension World {
    func tellOfMerging(_ story: Story, _ client: Client, _ processes: [SimulatedProcess]) async {
        switch story {
        case .readerBetweenDeletes: await tellOfReaderBetweenDeletes(client, processes)
        case .deleteOfMore:
            await tellOfTwoMaintainers(
                client, processes, ones: 2, slow: Self.settings(parts: 100, largeBytes: Self.betweenSizes),
                quick: Self.settings(parts: 2))
        case .changedInTheMiddle:
            await tellOfTwoMaintainers(
                client, processes, ones: 3, slow: Self.settings(parts: 100),
                quick: Self.settings(parts: 2, largeBytes: Self.betweenSizes))
        case .mergeOverMore:
            await tellOfTwoMaintainers(
                client, processes, ones: 2, slow: Self.settings(parts: 100, largeBytes: Self.betweenSizes),
                quick: Self.settings(parts: 100))
        case .oldEnd: await tellOfOldEnd(client, processes)
        case .mergedAwayUnderWriter, .writerWakesTooLate: await tellOfLateWriter(story, client, processes)
        case .lateWriteIntoMerged: await tellOfLateWrite(client, processes)
        case .cachedPart: await tellOfCachedPart(client, processes)
        case .fillerAfterTrim: await tellOfFillerAfterTrim(client, processes)
        case .trimmedUnderReader: await tellOfTrimmedUnderReader(client, processes)
        default: break
        }
    }

    private static func settings(parts: Int, largeBytes: Int = 100_000) -> MaintenanceSettings {
        var settings = MaintenanceSettings()
        settings.segmentsMinimum = 2
        settings.partsMaximum = parts
        settings.largeBytes = largeBytes
        return settings
    }

    /// Larger than a segment of one message, smaller than one of four.
    private static let betweenSizes = 120

    private func appendOnes(_ count: Int, _ client: Client, by process: SimulatedProcess) async {
        for _ in 0..<count { await client.append(recorder.newMessages(1), by: process) }
    }

    private func tellOfReaderBetweenDeletes(_ client: Client, _ processes: [SimulatedProcess]) async {
        await appendOnes(3 + choices.below(3), client, by: processes[0])
        await pass(minutes: 61)
        network.interfere(.sleep(choices.microseconds(Self.minute...60 * Self.minute))) {
            $0.name == processes[0].name && $1.name.hasPrefix("DELETE")
        }
        async let maintaining: Void = maintain(by: processes[0], Self.settings(parts: 100))
        await sleep(20_000_000)
        for position in 1...3 { await readOnce(processes[1], from: Int64(position)) }
        await maintaining
    }

    /// Two maintainers with different bounds: the write of the one is slow, and the other is done before it lands.
    private func tellOfTwoMaintainers(
        _ client: Client, _ processes: [SimulatedProcess], ones: Int, slow: MaintenanceSettings,
        quick: MaintenanceSettings
    ) async {
        // Four messages in one segment, which is too large for one of the two.
        await client.append(recorder.newMessages(4), by: processes[0])
        await appendOnes(ones, client, by: processes[0])
        await pass(minutes: 61)
        network.interfere(.delay(choices.microseconds(2_000_000...4_000_000))) {
            $0.name == processes[1].name && $1.name.hasPrefix("PUT")
        }
        async let slowly: Void = maintain(by: processes[1], slow)
        await sleep(800_000)
        await maintain(by: processes[0], quick)
        await slowly
        for position in [1, 5] { await readOnce(processes[2], from: Int64(position)) }
    }

    private func tellOfOldEnd(_ client: Client, _ processes: [SimulatedProcess]) async {
        await appendOnes(1, client, by: processes[0])
        network.interfere(.sleep(choices.microseconds(70 * Self.minute...120 * Self.minute))) {
            $0.name == processes[2].name && $1.name.hasPrefix("GetItem")
        }
        async let reading: Void = readOnce(processes[2], from: 1)
        await sleep(5_000_000)
        await appendOnes(1 + choices.below(2), client, by: processes[0])
        await pass(minutes: 61)
        await maintain(by: processes[1], Self.settings(parts: 100))
        await reading
    }

    /// What the first process wrote is merged away by the second one, while the first one stands still.
    private func tellOfLateWriter(_ story: Story, _ client: Client, _ processes: [SimulatedProcess]) async {
        await appendOnes(1, client, by: processes[0])
        // It arrives just when nobody waits for its answer any more, before the next try.
        network.interfere(.delay(5_000_500)) { $0.name == processes[0].name && $1.name.hasPrefix("PUT") }
        let pause = choices.microseconds(70 * Self.minute...120 * Self.minute)
        network.interfere(story == .writerWakesTooLate ? .stall(pause) : .sleep(pause)) {
            $0.name == processes[0].name && $1.name.hasPrefix("PUT")
        }
        async let writing: Void = appendOnes(1, client, by: processes[0])
        await sleep(20_000_000)
        await appendOnes(2, client, by: processes[1])
        await pass(minutes: 61)
        await maintain(by: processes[1], Self.settings(parts: 100))
        await readOnce(processes[1], from: 1)
        await writing
    }

    private func tellOfLateWrite(_ client: Client, _ processes: [SimulatedProcess]) async {
        await appendOnes(1, client, by: processes[0])
        network.interfere(.lastWord(choices.microseconds(5 * Self.minute...14 * Self.minute))) {
            $0.name == processes[0].name && $1.name.hasPrefix("PUT")
        }
        await appendOnes(1, client, by: processes[0])
        await readOnce(processes[1], from: 1)
        await readOnce(processes[1], from: 2)
        await appendOnes(2, client, by: processes[1])
        await pass(minutes: 2)
        await maintain(by: processes[2], Self.settings(parts: 100))
        await pass(minutes: 15)
    }

    private func tellOfCachedPart(_ client: Client, _ processes: [SimulatedProcess]) async {
        let count = 2 + choices.below(3)
        await appendOnes(count, client, by: processes[0])
        await readOnce(processes[2], from: Int64(count))
        await pass(minutes: 61)
        await maintain(by: processes[1], Self.settings(parts: 100))
        await readOnce(processes[2], from: 1)
    }

    private func tellOfFillerAfterTrim(_ client: Client, _ processes: [SimulatedProcess]) async {
        await appendOnes(1, client, by: processes[0])
        network.interfere(.delay(3_500_000)) { $0.name == processes[0].name && $1.name.hasPrefix("PUT") }
        async let writing: Void = appendOnes(1, client, by: processes[0])
        await sleep(1_000_000)
        // Whoever sees the hole sends a filler for it, which takes its time, and dies.
        network.interfere(.lastWord(choices.microseconds(4 * Self.minute...6 * Self.minute))) {
            $0.name == processes[1].name && $1.name.hasPrefix("PUT")
        }
        await readOnce(processes[1], from: 2)
        await writing
        await appendOnes(1, client, by: processes[0])
        network.interfere(.sleep(10 * Self.minute)) { $0.name == processes[2].name && $1.name.hasPrefix("LIST") }
        async let reading: Void = readOnce(processes[2], from: 2)
        await sleep(5_000_000)
        await trim(before: 3, by: processes[0])
        await maintain(by: processes[0], Self.settings(parts: 100))
        await reading
    }

    private func tellOfTrimmedUnderReader(_ client: Client, _ processes: [SimulatedProcess]) async {
        await appendOnes(3, client, by: processes[0])
        network.interfere(.sleep(choices.microseconds(75 * Self.minute...120 * Self.minute))) {
            $0.name == processes[2].name && $1.name.hasPrefix("GetItem")
        }
        async let reading: Void = readOnce(processes[2], from: 1)
        // Another one comes when the first has done what it does.
        network.interfere(.sleep(130 * Self.minute)) {
            $0.name == processes[1].name && $1.name.hasPrefix("GetItem")
        }
        async let readingLater: Void = readOnce(processes[1], from: 2)
        await sleep(5_000_000)
        await trim(before: 3, by: processes[0])
        await pass(minutes: 61)
        await maintain(by: processes[0], Self.settings(parts: 100))
        await reading
        await readingLater
    }

    private func trim(before offset: Int64, by process: SimulatedProcess) async {
        guard let mark = Offset(offset) else { return }
        recorder.noteTrim(before: offset)
        trace.note { "\(process.name) trims before \(offset)" }
        let topic = topic
        let failure: StoreError? = await withTaskExecutorPreference(process.executor) {
            do throws(StoreError) {
                try await process.store.moveLowMark(of: topic, to: mark)
                return nil
            } catch {
                return error
            }
        }
        if let failure { recorder.surprise("a trim failed: \(failure.message)") }
    }
}
