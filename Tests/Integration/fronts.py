"""What stands in front of a store: the server, or the function. Tests of both see the same thing."""

from __future__ import annotations

import re
from collections import Counter
from typing import Protocol

from http_client import Connection


class Front(Protocol):
    """Something on a port of 127.0.0.1 that serves the HTTP API, with processes that can be killed."""

    port: int

    @property
    def pids(self) -> list[int]:
        """Its processes that run."""

    def connect(self, timeout: float = 20) -> Connection:
        """A new connection to it."""

    def kill(self) -> None:
        """Ends its processes by SIGKILL, as a crash would."""

    def restart(self) -> Front:
        """Starts again after `kill`; the port may be another."""

    def log(self) -> str:
        """All that its processes have written to standard error, over all starts."""

    def close(self) -> None:
        """Ends it, however it is."""


def aws_requests(front: Front) -> Counter[str]:
    """The requests to AWS that a front's process has counted, by kind, as in `s3.PutObject`.

    A function must have just one process for this: each counts its own.
    """
    with front.connect() as connection:
        text = connection.get("/metrics").body.decode()
    found: Counter[str] = Counter()
    for line in text.splitlines():
        if line.startswith("streams_aws_requests_total{"):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            found[f"{labels['service']}.{labels['operation']}"] += round(float(line.rsplit(" ", 1)[1]))
    return found
