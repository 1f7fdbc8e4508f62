"""Runs the command line as people do: with pipes."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from processes import binary, end, spawn


@dataclass
class Outcome:
    """What a command came to."""

    status: int
    output: bytes
    errors: str

    @property
    def lines(self) -> list[bytes]:
        """The lines of standard output."""
        return self.output.split(b"\n")[:-1]


def start(
    *arguments: str, url: str | None = None, environment: dict[str, str] | None = None, **options
) -> subprocess.Popen[bytes]:
    """Starts `streams` with pipes; the test ends it, or the end of all tests does."""
    command = [binary(), *arguments, *(["--url", url] if url else [])]
    settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "bufsize": 0}
    return spawn(command, environment, **(settings | options))


def run(
    *arguments: str, url: str | None = None, stdin: bytes | None = None,
    environment: dict[str, str] | None = None, timeout: float = 30, **options
) -> Outcome:
    """Runs `streams` to its end."""
    if stdin is not None:
        options["stdin"] = subprocess.PIPE
    command = start(*arguments, url=url, environment=environment, **options)
    try:
        output, errors = command.communicate(stdin, timeout)
    finally:
        end(command)
    return Outcome(command.returncode, output, errors.decode())


def produce(topic: str, payloads: list[bytes], url: str) -> Outcome:
    """Appends payloads by a pipe."""
    return run("produce", topic, url=url, stdin=b"".join(payload + b"\n" for payload in payloads))
