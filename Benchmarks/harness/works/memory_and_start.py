"""Work 6: memory under load, and the time from the start of the process until it is ready."""

import statistics
import sys
from dataclasses import dataclass

from ..bench import Bench
from ..peers.streams_server import StreamsServer
from ..report import Goal, number, spread
from ..usage import peak_resident_bytes

_BATCH = 100


@dataclass(frozen=True)
class Starts:
    """Milliseconds until ready, by round."""

    empty: list[float]
    after_stop: list[float]
    after_kill: list[float]
    megabytes: float
    messages: int


def run(bench: Bench) -> None:
    """Memory under works 1 and 3; starts on an empty file and on one with a backlog."""
    print("6. memory and start", file=sys.stderr, flush=True)
    streams = bench.start_streams()
    single = _peak(bench, streams, streams.produce_one(), 64)
    batches = _peak(bench, streams, streams.produce_batch(_BATCH), 16)
    streams.stop()
    starts = _starts(bench)

    report = bench.report
    report.heading("6. Memory and start")
    report.table(["Peak RSS of the server", ""], [
        ["one message a request, 64 connections", f"{number(single)} MB"],
        [f"then batches of {_BATCH}, 16 connections", f"{number(batches)} MB"],
    ])
    report.table(["From the start of the process until `GET /health` answers 200", "ms"], [
        ["no file", spread(starts.empty)],
        [f"a file of {number(starts.megabytes)} MB, {starts.messages:,} messages, closed in order",
         spread(starts.after_stop)],
        ["the same after SIGKILL", spread(starts.after_kill)],
    ])
    grown = [large / statistics.median(starts.empty) for large in starts.after_stop]
    report.goals += [
        Goal("first", "6. peak RSS, one message a request, 64 connections", 60, False, [single],
             " MB"),
        Goal("then", "6. the same", 40, False, [single], " MB"),
        Goal("first", "6. ready, no file", 50, False, starts.empty, " ms"),
        Goal("first", "6. ready, large file", 50, False, starts.after_stop, " ms"),
        Goal("first", "6. ready, after SIGKILL", 50, False, starts.after_kill, " ms"),
        Goal("first", "6. ready with a large file ÷ with none", 1.5, False, grown),
    ]


def _peak(bench: Bench, streams: StreamsServer, load, connections: int) -> float:
    """Peak RSS in MB since the start of the process, after a load as long as all rounds of one."""
    settings = bench.settings
    seconds = settings.seconds * settings.rounds
    bench.generator.measure(load, connections, settings.warm_up, seconds, streams.pid)
    return peak_resident_bytes(streams.pid) / 1e6


def _starts(bench: Bench) -> Starts:
    rounds = max(3, bench.settings.rounds)
    empty = []
    for _ in range(rounds):
        streams = bench.start_streams()
        empty.append(streams.ready_milliseconds)
        streams.stop()

    streams = bench.start_streams()
    messages = bench.settings.backlog
    bench.generator.send(streams.produce_batch(_BATCH), 4, messages // _BATCH)
    streams.stop()
    megabytes = streams.data_bytes / 1e6
    after_stop, after_kill = [], []
    for _ in range(rounds):
        streams.start()
        after_stop.append(streams.ready_milliseconds)
        # Something must lie in the journal when the process dies.
        bench.generator.send(streams.produce_batch(_BATCH), 1, 10)
        streams.kill()
        streams.start()
        after_kill.append(streams.ready_milliseconds)
        streams.stop()
    return Starts(empty, after_stop, after_kill, megabytes, messages)
