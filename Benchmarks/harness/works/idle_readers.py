"""Work 5: many readers that wait for a message that does not come, and then for one that does."""

import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from .. import wire
from ..bench import Bench
from ..generator import LineReader
from ..peers.streams_server import StreamsServer
from ..processes import Failure
from ..report import Goal, number
from ..usage import cpu_nanoseconds, resident_bytes

_SETTLE_SECONDS = 1.0
_SPARE_FILES = 100


@dataclass(frozen=True)
class Waiting:
    """What one kind of readers cost."""

    kind: str
    idle_seconds: float
    cpu_share: float
    bytes_before: int
    bytes_with_readers: int
    delivered_milliseconds: list[float]
    acknowledged_milliseconds: list[float]
    readers: int

    @property
    def bytes_a_reader(self) -> float:
        return (self.bytes_with_readers - self.bytes_before) / self.readers


def run(bench: Bench) -> None:
    """Long-polls, then server-sent events, each on a server of its own."""
    readers = _readers_possible(bench.settings.readers)
    kinds = [_measure(bench, "poll", readers), _measure(bench, "events", readers)]
    report = bench.report
    report.heading(f"5. {readers:,} idle readers")
    if readers < bench.settings.readers:
        report.paragraph(f"Only {readers:,}: the limit of open files allows no more.")
    report.table(
        ["", "CPU while idle", "over", "RSS before", "RSS with readers", "a reader",
         "acknowledged, median", "at all readers, median", "longest"],
        [_row(kind) for kind in kinds],
    )
    for kind in kinds:
        report.goals += [
            Goal("first", f"5. {readers:,} idle readers, {kind.kind}: CPU, % of one core", 1, False,
                 [kind.cpu_share * 100], " %"),
            Goal("first", f"5. memory a reader, {kind.kind}", 20, False,
                 [kind.bytes_a_reader / 1000], " kB"),
            Goal("first", f"5. a message at all readers, {kind.kind}", 50, False,
                 kind.delivered_milliseconds, " ms"),
        ]


def _row(kind: Waiting) -> list[str]:
    delivered = kind.delivered_milliseconds
    return [
        kind.kind,
        f"{number(kind.cpu_share * 100)} % of one core",
        f"{kind.idle_seconds:.0f} s",
        f"{number(kind.bytes_before / 1e6)} MB",
        f"{number(kind.bytes_with_readers / 1e6)} MB",
        f"{number(kind.bytes_a_reader / 1000)} kB",
        f"{number(statistics.median(kind.acknowledged_milliseconds))} ms",
        f"{number(statistics.median(delivered))} ms",
        f"{number(max(delivered))} ms",
    ]


def _readers_possible(wanted: int) -> int:
    """As many readers as the limit of open files allows; it counts for the server too."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(1, min(wanted, limit - _SPARE_FILES))


def _measure(bench: Bench, kind: str, readers: int) -> Waiting:
    settings = bench.settings
    name = "long-polls" if kind == "poll" else "server-sent events"
    print(f"5. {readers} readers, {name}", file=sys.stderr, flush=True)
    streams = bench.start_streams()
    # The first requests make what any later one needs; that is no reader's.
    bench.generator.send(streams.produce_one(), 16, 500)
    time.sleep(_SETTLE_SECONDS)
    before = resident_bytes(streams.pid)
    command = _command(bench, streams, kind, readers)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            lines = LineReader(process.stdout.fileno(), time.monotonic() + 120)
            _next_line(lines, process)
            time.sleep(_SETTLE_SECONDS)
            idle_seconds = settings.poll_idle if kind == "poll" else settings.events_idle
            share = _idle_cpu_share(streams.pid, idle_seconds)
            with_readers = resident_bytes(streams.pid)
            delivered, acknowledged = [], []
            for _ in range(settings.deliveries):
                process.stdin.write(b"produce\n")
                process.stdin.flush()
                result = json.loads(_next_line(lines, process))
                delivered.append(result["last_milliseconds"])
                acknowledged.append(result["acknowledged_milliseconds"])
                time.sleep(0.3)
            process.stdin.close()
        except BaseException:
            process.kill()
            raise
    streams.stop()
    return Waiting(
        name, idle_seconds, share, before, with_readers, delivered, acknowledged, readers
    )


def _command(bench: Bench, streams: StreamsServer, kind: str, readers: int) -> list[str]:
    path = "/topics/bench/consume"
    request_file = bench.generator.request_file
    command = [str(bench.generator.program), "readers", "--kind", kind]
    command += ["--port", str(streams.port), "--readers", str(readers)]
    if kind == "poll":
        wait = f"wait={bench.settings.poll_wait}"
        first = wire.http_get(f"{path}?offset=latest&{wait}")
        follow = wire.http_get(f"{path}?offset={{position}}&{wait}")
        command += ["--follow-file", request_file("follow", follow)]
    else:
        first = wire.http_get(f"{path}?offset=latest", accept="text/event-stream")
    command += ["--request-file", request_file("reader", first)]
    command += ["--produce-file", request_file("produce", streams.produce_one().request)]
    return command


def _idle_cpu_share(pid: int, seconds: float) -> float:
    begin, before = time.monotonic(), cpu_nanoseconds(pid)
    time.sleep(seconds)
    return (cpu_nanoseconds(pid) - before) / 1e9 / (time.monotonic() - begin)


def _next_line(lines: LineReader, process: subprocess.Popen) -> str:
    line = lines.next()
    if line is None:
        raise Failure(process.stderr.read().decode().strip() or "the readers ended")
    return line
