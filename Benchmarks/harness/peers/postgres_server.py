"""PostgreSQL with a throw-away cluster: each INSERT a transaction, on the disk when answered."""

import getpass
import os
import shutil
import signal
import subprocess
from pathlib import Path

from .. import wire
from ..generator import Load
from ..processes import Child, Children, Failure, free_port, identity, wait_until
from . import Unavailable

LABEL = "PostgreSQL"


class PostgresServer:
    def __init__(self, children: Children, parent: Path) -> None:
        self._programs = _find_programs()
        # PostgreSQL refuses to run as root.
        self._user = _unprivileged_user() if os.geteuid() == 0 else None
        self._children = children
        self._directory = parent / "postgres"
        self._child: Child | None = None
        self.port = 0
        version = self._run("postgres", "--version", directory=Path("/")).split()
        self.name = "PostgreSQL " + version[2]

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        self._directory.mkdir()
        if self._user:
            shutil.chown(self._directory, self._user)
        try:
            self._run("initdb", "-D", "cluster", "-U", "bench", "-A", "trust", "-E", "UTF8", "-N",
                      "--locale", "C")
        except (Failure, OSError) as problem:
            raise Unavailable(f"PostgreSQL cannot make a cluster here: {problem}")
        self.port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "on",
            "synchronous_commit": "on",
            # No checkpoint in the middle of a round.
            "max_wal_size": "4GB",
            "checkpoint_timeout": "30min",
        }
        command = [str(self._programs / "postgres"), "-D", "cluster"]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._child = self._children.start(
            "postgres", command, self._directory, user=self._user, stop_signal=signal.SIGINT
        )
        wait_until(self._answers, self._child)
        self._query(
            "CREATE TABLE messages (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
            " payload text NOT NULL)"
        )

    def stop(self) -> None:
        self._children.stop(self._child)
        shutil.rmtree(self._directory, ignore_errors=True)

    def forget_messages(self) -> None:
        self._query("TRUNCATE messages")

    def produce(self, count: int) -> Load:
        """`count` messages in one INSERT, through a prepared statement."""
        rows = ",".join(f"(${number})" for number in range(1, count + 1))
        opening = wire.postgres_opening(
            "bench", "postgres", f"INSERT INTO messages (payload) VALUES {rows}"
        )
        request = wire.postgres_execute([wire.payload()] * count)
        return Load("postgres", self.port, request, messages=count, opening=opening)

    def _answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1"]
        command += ["-p", str(self.port)]
        return subprocess.run(command, cwd="/").returncode == 0

    def _query(self, statement: str) -> None:
        self._run("psql", "-q", "-X", "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench",
                  "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", statement)

    def _run(self, program: str, *arguments: str, directory: Path | None = None) -> str:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=directory or self._directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **identity(self._user),
        )
        if done.returncode != 0:
            raise Failure(f"{program}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def _find_programs() -> Path:
    """The directory of PostgreSQL's programs; Debian keeps them off the path."""

    def version(directory: Path) -> float:
        try:
            return float(directory.parent.name)
        except ValueError:
            return 0

    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version)
    for directory in reversed(installed):
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return directory
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).resolve().parent
    raise Unavailable("PostgreSQL is not installed")


def _unprivileged_user() -> str:
    for user in ("postgres", "nobody"):
        try:
            identity(user)
        except KeyError:
            continue
        return user
    raise Unavailable(f"PostgreSQL refuses to run as {getpass.getuser()}")
