"""What stands in front of a store: the server, or the function. Tests of both see the same thing."""

from __future__ import annotations

from typing import Protocol

from http_client import Connection


class Front(Protocol):
    """Something on a port of 127.0.0.1 that serves the HTTP API, with processes that can be killed."""

    port: int

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
