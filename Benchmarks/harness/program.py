"""The whole run, from the command line to the exit status."""

import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from . import machine, report
from .bench import Bench
from .generator import Generator
from .processes import Children, Failure
from .report import Report
from .settings import Settings, parse
from .works import (
    aws_round_trips,
    backlog,
    idle_readers,
    memory_and_start,
    produce_batch,
    produce_one,
)

_WORKS = {
    "1": produce_one.many_connections,
    "2": produce_one.one_connection,
    "3": produce_batch.run,
    "4": backlog.run,
    "5": idle_readers.run,
    "6": memory_and_start.run,
    "7": aws_round_trips.run,
}


def main(arguments: list[str]) -> int:
    """Returns 0; 1 when a work failed; 2 when there was nothing to measure; 130 when interrupted.

    A goal that is missed is no failure: the report says so.
    """
    settings = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        return _run(settings)
    except Failure as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130


def _run(settings: Settings) -> int:
    if sys.platform != "linux":
        raise Failure("this needs Linux: the load generator uses epoll, the harness reads /proc")
    if not os.access(settings.server, os.X_OK) or not settings.server.is_file():
        raise Failure(f"there is no server at {settings.server}; build it first with "
                      "`swift build -c release`, or name another with --server")
    _raise_file_limit()
    settings.directory.mkdir(parents=True, exist_ok=True)
    machine.require_disk(settings.directory)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=settings.directory)).resolve()
    # Peers that run as another user must get to their own directory inside.
    directory.chmod(0o755)
    begin = time.monotonic()
    description = machine.describe(directory)
    try:
        with Children() as children:
            bench = Bench(settings, children, directory, Generator(directory), Report())
            for work in settings.works:
                _attempt(bench, work)
        text = _compose(bench, description, time.monotonic() - begin)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(text, flush=True)
    if settings.write:
        settings.write.write_text(text)
    for failure in bench.report.failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if bench.report.failures else 0


def _attempt(bench: Bench, work: str) -> None:
    """Runs one work; when it fails, the others are tried all the same."""
    try:
        _WORKS[work](bench)
    except (Failure, OSError) as problem:
        bench.report.failed(work, problem)
        bench.children.stop_all()
    for leftover in bench.directory.iterdir():
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)


def _compose(bench: Bench, description: list[tuple[str, str]], seconds: float) -> str:
    """The report as one Markdown text."""
    settings = bench.settings
    rounds = f"{settings.rounds} rounds of {settings.seconds:g} s each, interleaved"
    rows = [[name, value] for name, value in description]
    if commit := machine.commit():
        rows.append(["Commit", commit])
    rows.append(["Compared", ", ".join(bench.names.values())])
    rows.append(["Run", f"{rounds}; {seconds:.0f} s in all"])
    parts = [
        "## Measured",
        "Medians; in parentheses the lowest and the highest round. Only ratios of one run count: "
        "the figures themselves move by tens of percent from run to run and machine to machine.",
        report.table(["Machine", ""], rows),
    ]
    parts += [f"{label} did not take part: {why}." for label, why in bench.missing.items()]
    parts += ["### Goals", bench.report.goals_table(), *bench.report.parts]
    return "\n\n".join(parts) + "\n"


def _raise_file_limit() -> None:
    """Many connections need many files, in the server and in the generator."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
