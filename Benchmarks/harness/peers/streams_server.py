"""Our own server: the release binary, on one SQLite file unless told otherwise."""

import http.client
import json
import os
import shutil
import time
from pathlib import Path

from .. import wire
from ..generator import Load
from ..processes import Child, Children, Failure, free_port, wait_until

LABEL = "Streams"


class StreamsServer:
    name = LABEL

    def __init__(
        self,
        children: Children,
        parent: Path,
        binary: Path,
        *,
        name: str = "streams",
        storage: list[str] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self._children = children
        self._directory = parent / name
        self._storage = storage or ["--data", "log.sqlite"]
        self._environment = environment or {}
        self._binary = binary.resolve()
        self._child: Child | None = None
        self.port = 0
        self.ready_milliseconds = 0.0

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def data_bytes(self) -> int:
        """Size of the file, its journals included."""
        return sum(path.stat().st_size for path in self._directory.glob("log.sqlite*"))

    def start(self) -> None:
        """Starts on what is in the directory, and times it until `/health` answers 200."""
        self._directory.mkdir(exist_ok=True)
        self.port = free_port()
        command = [str(self._binary), "serve", "--port", str(self.port), *self._storage]
        # A setting in the environment must not change what is measured.
        ours = ("STREAMS_", "AWS_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        begin = time.perf_counter()
        self._child = self._children.start(
            "streams", command, self._directory, environment=kept | self._environment
        )
        wait_until(self._is_healthy, self._child)
        self.ready_milliseconds = (time.perf_counter() - begin) * 1000

    def stop(self) -> None:
        self._children.stop(self._child)

    def kill(self) -> None:
        self._children.kill(self._child)

    def remove_data(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def log_tail(self) -> str:
        return self._child.log_tail() if self._child else ""

    def version(self) -> str:
        """What `/health` says."""
        return json.loads(self.get("/health")).get("version", "of unknown version")

    def get(self, path: str) -> bytes:
        """One GET that must answer 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise Failure(f"GET {path} answered {answer.status}: {body[:200]!r}")
        return body

    def produce_one(self) -> Load:
        body = '{"payload":' + wire.payload() + "}"
        request = wire.http_post("/topics/bench/produce", body)
        return Load("http", self.port, request, expect='"offset":')

    def produce_batch(self, count: int, topic: str = "bench") -> Load:
        body = '{"messages":[' + ",".join(['{"payload":' + wire.payload() + "}"] * count) + "]}"
        request = wire.http_post(f"/topics/{topic}/produce", body)
        return Load("http", self.port, request, messages=count, expect=f'"count":{count}')

    def produce_lines(self, count: int) -> Load:
        body = (wire.payload() + "\n") * count
        request = wire.http_post("/topics/bench/produce", body, "application/x-ndjson")
        return Load("http", self.port, request, messages=count, expect=f'"count":{count}')

    def read_backlog(self, limit: int, backlog: int, topic: str) -> Load:
        request = wire.http_get(f"/topics/{topic}/consume?offset={{position}}&limit={limit}")
        return Load(
            "http", self.port, request, messages=limit, walk_start="1", walk_messages=backlog
        )

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        except http.client.HTTPException:
            return False
        finally:
            connection.close()
