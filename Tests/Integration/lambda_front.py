"""The function in front of a store: a gateway, and processes of `bootstrap` that each serve one request at a time."""

from __future__ import annotations

import signal

from aws_store import AWSStore
from conditions import wait_until
from http_client import Connection
from lambda_gateway import Function, Gateway
from processes import bootstrap


class LambdaFront:
    """A function on a store; the gateway stays when its processes are killed, and answers for them."""

    def __init__(
        self, gateway: Gateway, store: AWSStore, environment: dict[str, str] | None = None, *, processes: int = 2,
        event: str = "http", **options
    ) -> None:
        self.function: Function = gateway.start(
            [str(bootstrap())], store.environment | (environment or {}), concurrency=processes, event=event, **options)
        self.port = self.function.port
        self._last_log: str | None = None

    def connect(self, timeout: float = 20) -> Connection:
        """A new connection to the gateway."""
        return Connection(self.port, timeout)

    def kill(self) -> None:
        """Ends its processes by SIGKILL; the requests that they had are the gateway's errors to the clients."""
        killed = set(self.pids)
        self.function.signal(signal.SIGKILL)
        wait_until(lambda: not killed & set(self.pids), "the function's processes are gone")

    def restart(self) -> LambdaFront:
        """Nothing to do: the next event starts a process, as on Lambda."""
        return self

    def log(self) -> str:
        """All that its processes have written, over all starts, and why the gateway did not take an answer."""
        return self.function.report["log"] if self._last_log is None else self._last_log

    def close(self) -> None:
        """Ends it, however it is."""
        if self._last_log is None:
            self._last_log = self.function.stop()["log"]

    # Looking at it

    @property
    def pids(self) -> list[int]:
        """Its processes that run."""
        return self.function.report["pids"]

    @property
    def exit_statuses(self) -> list[int]:
        """How the others have ended."""
        return self.function.report["exit_statuses"]
