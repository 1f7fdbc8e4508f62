"""A server process on a free port of 127.0.0.1."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path

from aws_store import AWSStore
from http_client import Connection
from processes import binary, end, spawn

READY = "Serverless Streams is ready at http://127.0.0.1:"


class Server:
    """A server with a data file of its own, or on a store on AWS; it can be stopped, killed and started again."""

    def __init__(
        self, folder: Path, *, data: Path | None = None, store: str | AWSStore = "sqlite",
        arguments: list[str] | None = None, environment: dict[str, str] | None = None, name: str = "server",
    ) -> None:
        self.data = data or folder / "streams.sqlite"
        self.log_path = folder / f"{name}.log"
        self.port = 0
        self._arguments = arguments or []
        if isinstance(store, str):
            self._storage: list[str | Path] = ["--data", self.data, "--store", store]
            self._environment = environment
        else:
            self._storage = ["--store", "aws"]
            self._environment = store.environment | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    # Life

    def launch(self, port: int = 0) -> subprocess.Popen[bytes]:
        """Starts the process without waiting for anything."""
        assert self._process is None, "it runs already"
        command = [binary(), "serve", "--port", str(port), *self._storage, *self._arguments]
        with self.log_path.open("ab") as log:
            self._process = spawn(
                command, self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                bufsize=0)
        return self._process

    def start(self, port: int = 0, timeout: float = 20) -> Server:
        """Starts the process and waits for the line that says that it is ready."""
        process = self.launch(port)
        assert process.stdout
        line = _read_line(process, timeout)
        if not line.startswith(READY):
            status = process.poll()
            raise AssertionError(f"The server did not get ready (exit status {status}):\n{self.log()}")
        self.port = int(line.removeprefix(READY))
        return self

    def restart(self) -> Server:
        """Starts again after `kill` or `stop`, on the same port where it is still free."""
        return self.start()

    def kill(self) -> None:
        """Ends the process by SIGKILL, as a crash would."""
        assert self._process
        process, self._process = self._process, None
        end(process)

    def signal(self, number: int) -> None:
        """Sends a signal to the process."""
        assert self._process
        self._process.send_signal(number)

    def wait(self, timeout: float = 10) -> int:
        """Waits for the process to end; returns its exit status (negative for a signal)."""
        assert self._process
        status = self._process.wait(timeout)
        process, self._process = self._process, None
        end(process)
        return status

    def stop(self) -> int:
        """Ends the process by SIGTERM; returns its exit status."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """Ends the process, however it is."""
        if self._process:
            self.kill()

    # Looking at it

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process
        return self._process.pid

    @property
    def pids(self) -> list[int]:
        """The process id, as long as it runs."""
        return [self.pid] if self.is_running else []

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def url(self) -> str:
        """The base address."""
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """All that it has written to standard error, over all starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def connect(self, timeout: float = 20) -> Connection:
        """A new connection to it."""
        return Connection(self.port, timeout)

    def check_alive(self) -> None:
        """The server answers a client that has done nothing wrong."""
        assert self.is_running, self.log()
        with self.connect(timeout=5) as connection:
            assert connection.get("/health").status == 200

    def socket_count(self) -> int:
        """How many sockets the process holds."""
        folder = Path(f"/proc/{self.pid}/fd")
        assert folder.exists(), "Counting the sockets of a process needs /proc."
        count = 0
        for link in folder.iterdir():
            try:
                count += os.readlink(link).startswith("socket:")
            except FileNotFoundError:
                pass
        return count

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        with self.connect() as connection:
            text = connection.get("/metrics").body.decode()
        for line in text.splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise AssertionError(f"There is no metric {name} in:\n{text}")

    def end_offset(self, topic: str) -> int:
        """The end offset of a topic; 1 where there is no such topic."""
        with self.connect() as connection:
            answer = connection.get(f"/topics/{topic}")
        return 1 if answer.status == 404 else answer.json()["end_offset"]


def _read_line(process: subprocess.Popen[bytes], timeout: float) -> str:
    """A line of standard output; empty at its end or when the time is up."""
    assert process.stdout
    deadline = time.monotonic() + timeout
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))
        byte = process.stdout.read(1) if ready else b""
        if not byte:
            break
        line += byte
    if not line and process.poll() is None and deadline > time.monotonic():
        process.wait(5)
    return line.decode()
