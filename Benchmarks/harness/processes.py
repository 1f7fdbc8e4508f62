"""Starting and stopping processes, so that none outlives the benchmark."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SET_PARENT_DEATH_SIGNAL = 1
_libc = ctypes.CDLL(None)


class Failure(Exception):
    """Something did not work; the text says what, for the reader of the report."""


@dataclass
class Child:
    """A process started by the benchmark."""

    name: str
    process: subprocess.Popen
    log: Path
    stop_signal: int

    @property
    def pid(self) -> int:
        return self.process.pid

    def log_tail(self) -> str:
        """The last lines it wrote, for an error message."""
        lines = self.log.read_text(errors="replace").splitlines()[-8:]
        return "\n".join("    " + line for line in lines) or "    (it wrote nothing)"


class Children:
    """All processes of a run. Leaving the `with` block ends those that still run."""

    def __init__(self) -> None:
        self._running: list[Child] = []

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def stop_all(self) -> None:
        """Ends what still runs, the last started first."""
        for child in reversed(self._running.copy()):
            self.stop(child)

    def start(
        self,
        name: str,
        command: list[str],
        directory: Path,
        *,
        user: str | None = None,
        stop_signal: int = signal.SIGTERM,
        environment: dict[str, str] | None = None,
        keeps_input: bool = False,
    ) -> Child:
        """Starts a process in a session of its own, so that Ctrl-C reaches only the benchmark.

        `environment` replaces the benchmark's own. What the process writes goes to a file.
        `keeps_input` is for programs that end with their standard input: it stays open.
        """
        log = directory / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.PIPE if keeps_input else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _die_with_parent(stop_signal),
                env=environment,
                **identity(user),
            )
        child = Child(name, process, log, stop_signal)
        self._running.append(child)
        return child

    def stop(self, child: Child) -> None:
        """Asks the process to end, and kills it when it has not done so after ten seconds."""
        if child.process.poll() is None:
            child.process.send_signal(child.stop_signal)
            try:
                child.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._forget(child)

    def kill(self, child: Child) -> None:
        """Ends the process at once, as a loss of power would."""
        child.process.kill()
        child.process.wait()
        self._forget(child)

    def _forget(self, child: Child) -> None:
        if child.process.stdin:
            child.process.stdin.close()
        if child in self._running:
            self._running.remove(child)


def wait_until(ready: Callable[[], bool], child: Child, seconds: float = 30) -> None:
    """Waits until `ready()` is true.

    Fails when the process ends or the time is over; then the process does not run any more.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if child.process.poll() is not None:
            raise Failure(f"{child.name} ended with status {child.process.returncode}:\n"
                          f"{child.log_tail()}")
        if time.monotonic() > deadline:
            child.process.kill()
            child.process.wait()
            raise Failure(f"{child.name} was not ready after {seconds:.0f} s:\n{child.log_tail()}")
        time.sleep(0.001)


def identity(user: str | None) -> dict:
    """The arguments of `subprocess` that run a process as `user`."""
    if user is None:
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _die_with_parent(stop_signal: int) -> None:
    """Runs in the child: should the benchmark be killed, its children end too."""
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, stop_signal)
    os.umask(0o022)
