"""The load generator: the C program in Benchmarks/load, built once a run."""

import json
import os
import select
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from .processes import Failure
from .usage import cpu_seconds

_SOURCES = Path(__file__).resolve().parent.parent / "load"


@dataclass(frozen=True)
class Load:
    """What each connection sends again and again, and what it must get."""

    protocol: str
    port: int
    request: bytes
    messages: int = 1
    opening: bytes = b""
    expect: str | None = None
    walk_start: str | None = None
    walk_messages: int = 0


@dataclass(frozen=True)
class Sample:
    """One round of one contender. `cpu_microseconds` is the server's processor time a message."""

    messages_per_second: float
    requests_per_second: float
    bytes_per_second: float
    p50_microseconds: float
    p99_microseconds: float
    cpu_microseconds: float | None
    generator_cpu_share: float


@dataclass
class Generator:
    """Runs the load program; its requests lie as files in `directory`."""

    directory: Path
    program: Path = field(init=False)

    def __post_init__(self) -> None:
        self.program = self.directory / "load"
        sources = sorted(str(path) for path in _SOURCES.glob("*.c"))
        compiler = os.environ.get("CC", "cc")
        flags = ["-std=gnu11", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra"]
        command = [compiler, *flags, "-o", str(self.program), *sources]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except FileNotFoundError:
            raise Failure(f"no C compiler ({compiler}); Benchmarks/install-peers installs one")
        if done.returncode != 0:
            raise Failure(f"the load generator does not compile:\n{done.stderr}")

    def measure(
        self, load: Load, connections: int, warm_up: float, seconds: float, server: int
    ) -> Sample:
        """Runs a load for some seconds, and reads the server's CPU clock at both ends."""
        command = self._command(load, connections)
        command += ["--warm-up", str(warm_up), "--seconds", str(seconds)]
        return self._run(command, warm_up + seconds + 60, server)

    def send(self, load: Load, connections: int, requests: int) -> None:
        """Sends so many requests, as preparation."""
        command = [*self._command(load, connections), "--requests", str(requests)]
        self._run(command, 120, None)

    def append(self, file: Path, warm_up: float, seconds: float) -> Sample:
        """Appends 200 bytes to a file again and again, each time waiting for the disk."""
        command = [str(self.program), "append", "--file", str(file), "--bytes", "200"]
        command += ["--warm-up", str(warm_up), "--seconds", str(seconds)]
        return self._run(command, warm_up + seconds + 60, None)

    def request_file(self, name: str, request: bytes) -> str:
        """Puts a request where the program can read it."""
        path = self.directory / f"{name}.request"
        path.write_bytes(request)
        return str(path)

    def _command(self, load: Load, connections: int) -> list[str]:
        command = [str(self.program), "requests", "--protocol", load.protocol]
        command += ["--port", str(load.port), "--connections", str(connections)]
        command += ["--messages", str(load.messages)]
        command += ["--request-file", self.request_file("load", load.request)]
        if load.opening:
            command += ["--opening-file", self.request_file("opening", load.opening)]
        if load.expect is not None:
            command += ["--expect", load.expect]
        if load.walk_start is not None:
            command += ["--walk-start", load.walk_start]
            command += ["--walk-messages", str(load.walk_messages)]
        return command

    def _run(self, command: list[str], timeout: float, server: int | None) -> Sample:
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
            try:
                lines = LineReader(process.stdout.fileno(), time.monotonic() + timeout)
                clock = CPUClock(server)
                lines.next()  # "begin"
                clock.begin()
                lines.next()  # "end"
                clock.end()
                result = json.loads(lines.next() or "{}")
                problem = process.stderr.read().strip()
            except BaseException:
                process.kill()
                raise
        if result.get("errors", 1) > 0:
            text = result.get("first_error") or problem or "the load generator gave no result"
            raise Failure(f"{result.get('errors', 'unknown')} failed requests, first: {text}")
        return sample_of(result, clock)


class CPUClock:
    """Processor time of a server per second of real time, between two moments."""

    def __init__(self, server: int | None) -> None:
        self.server = server
        self.share = 0.0
        self._cpu = 0.0
        self._time = 0.0

    def begin(self) -> None:
        self._time = time.monotonic()
        self._cpu = cpu_seconds(self.server) if self.server else 0

    def end(self) -> None:
        now = time.monotonic()
        cpu = cpu_seconds(self.server) if self.server else 0
        self.share = (cpu - self._cpu) / (now - self._time)


class LineReader:
    """Lines from a pipe, as they come, until a deadline (on the monotonic clock)."""

    def __init__(self, descriptor: int, deadline: float) -> None:
        self._descriptor = descriptor
        self._deadline = deadline
        self._bytes = b""

    def next(self) -> str | None:
        """The next line, or None at the end of the output."""
        while b"\n" not in self._bytes:
            left = self._deadline - time.monotonic()
            if left <= 0 or not select.select([self._descriptor], [], [], left)[0]:
                raise Failure("the load generator did not finish in time")
            more = os.read(self._descriptor, 65536)
            if not more:
                return None
            self._bytes += more
        line, self._bytes = self._bytes.split(b"\n", 1)
        return line.decode()


def sample_of(result: dict, clock: CPUClock) -> Sample:
    """Turns the program's JSON into a sample."""
    rate = result["messages_per_second"]
    return Sample(
        messages_per_second=rate,
        requests_per_second=result["requests_per_second"],
        bytes_per_second=result["bytes_received"] / result["seconds"],
        p50_microseconds=result["p50_microseconds"],
        p99_microseconds=result["p99_microseconds"],
        cpu_microseconds=clock.share / rate * 1e6 if clock.server and rate else None,
        generator_cpu_share=result["generator_cpu_share"],
    )
