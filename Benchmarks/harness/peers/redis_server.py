"""Redis Streams, every append on the disk before it is answered."""

import shutil
import socket
import subprocess
from pathlib import Path

from .. import wire
from ..generator import Load
from ..processes import Child, Children, Failure, free_port, wait_until
from . import Unavailable

LABEL = "Redis"


class RedisServer:
    def __init__(self, children: Children, parent: Path) -> None:
        self._program = shutil.which("redis-server")
        if not self._program:
            raise Unavailable("redis-server is not installed")
        self._children = children
        self._directory = parent / "redis"
        self._child: Child | None = None
        self.port = 0
        version = subprocess.run([self._program, "--version"], capture_output=True, text=True)
        self.name = "Redis " + version.stdout.partition("v=")[2].partition(" ")[0]

    @property
    def pid(self) -> int:
        return self._child.pid

    def start(self) -> None:
        self._directory.mkdir()
        self.port = free_port()
        command = [self._program, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        # A rewrite of the file in the middle of a round would count against it.
        command += ["--auto-aof-rewrite-percentage", "0", "--daemonize", "no"]
        self._child = self._children.start("redis", command, self._directory)
        wait_until(self._answers, self._child)

    def stop(self) -> None:
        self._children.stop(self._child)
        shutil.rmtree(self._directory, ignore_errors=True)

    def forget_messages(self) -> None:
        """Empties the stream, so that memory does not fill up from round to round."""
        self._ask(wire.redis_command("DEL", "bench"))

    def produce_one(self) -> Load:
        return Load("redis", self.port, _append())

    def produce_pipelined(self, count: int) -> Load:
        return Load("redis", self.port, _append() * count, messages=count)

    def read_backlog(self, limit: int, backlog: int) -> Load:
        request = f"XRANGE bench ({{position}} + COUNT {limit}\r\n".encode()
        return Load(
            "redis", self.port, request, messages=limit, walk_start="0", walk_messages=backlog
        )

    def _answers(self) -> bool:
        try:
            return self._ask(wire.redis_command("PING")).startswith(b"+PONG")
        except OSError:
            return False

    def _ask(self, command: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(command)
            reply = connection.recv(4096)
        if reply.startswith(b"-") and not reply.startswith(b"-LOADING"):
            raise Failure(f"redis: {reply!r}")
        return reply


def _append() -> bytes:
    return wire.redis_command("XADD", "bench", "*", "payload", wire.payload())
