#!/usr/bin/env python3
"""What a cold start of the function costs: CPU time and time from its start to its first request for an event.

    Benchmarks/lambda_start.py [PATH OF BOOTSTRAP] [STARTS]

Each start is a process of its own, with a Runtime API that never has an event. Anything else that the process connected
to before that request would fail here: no other address answers.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SETTINGS = {
    "BUCKET_NAME": "messages", "COUNTERS_TABLE": "counters", "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_SESSION_TOKEN": "example"}


@dataclass
class Start:
    """What one start took."""

    cpu_milliseconds: float
    milliseconds: float
    resident_megabytes: float


def start(bootstrap: Path) -> Start:
    """Starts the function once, and ends it when it asks for an event."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        port = listener.getsockname()[1]
        begin = time.perf_counter()
        process = subprocess.Popen(
            [bootstrap], env={**SETTINGS, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}"}, stdin=subprocess.DEVNULL)
        try:
            connection, _ = listener.accept()
            with connection:
                head = connection.recv(4096)
            took = time.perf_counter() - begin
            assert head.startswith(b"GET /2018-06-01/runtime/invocation/next "), head
            # Nanoseconds on a CPU, of all threads.
            threads = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
            nanoseconds = sum(int(each.read_text().split()[0]) for each in threads)
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        finally:
            process.kill()
            process.wait()
    return Start(nanoseconds / 1e6, took * 1000, pages * os.sysconf("SC_PAGE_SIZE") / 2**20)


def main() -> None:
    """Prints medians, with the lowest and the highest."""
    bootstrap = Path(sys.argv[1] if len(sys.argv) > 1 else ".build/lambda/bootstrap").resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    starts = [start(bootstrap) for _ in range(count)]
    for name, unit, values in [
        ("CPU time to the first `next`", "ms", [each.cpu_milliseconds for each in starts]),
        ("time to the first `next`", "ms", [each.milliseconds for each in starts]),
        ("resident memory then", "MB", [each.resident_megabytes for each in starts]),
    ]:
        print(f"{name}: {statistics.median(values):.1f} {unit} ({min(values):.1f} to {max(values):.1f})")


if __name__ == "__main__":
    main()
