"""HTTP/1.1 on a plain socket, so that tests see and control each byte."""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass
from typing import Any, Iterator

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENTS = "text/event-stream"


class NoAnswer(ConnectionError):
    """The connection ended before an answer was whole."""


@dataclass
class Answer:
    """An answer with its whole body."""

    status: int
    headers: dict[str, str]
    body: bytes
    version: str = "HTTP/1.1"

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The `code` of a problem document; empty for any other answer."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        return self.json()["code"]


def head(target: str, *fields: str, method: str = "POST", version: str = "1.1") -> bytes:
    """The bytes of a request's head."""
    return "\r\n".join([f"{method} {target} HTTP/{version}", "Host: 127.0.0.1", *fields, "", ""]).encode()


class Connection:
    """One connection; requests on it are answered one after the other."""

    def __init__(self, port: int, timeout: float = 20) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._input = self.socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        try:
            self._input.close()
        except OSError:
            pass
        self.socket.close()

    # Requests

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.socket.sendall(data)

    def send_request(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> None:
        """Sends a request without waiting for the answer."""
        lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    def request(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Sends a request and reads the answer."""
        self.send_request(method, target, body, headers)
        return self.read_answer(has_body=method != "HEAD")

    def get(self, target: str, accept: str | None = None) -> Answer:
        """Sends a GET request."""
        return self.request("GET", target, headers={"Accept": accept} if accept else None)

    def produce(self, topic: str, body: bytes, media_type: str = JSON) -> Answer:
        """Appends what the body says."""
        return self.request("POST", f"/topics/{topic}/produce", body, {"Content-Type": media_type})

    def consume(self, topic: str, accept: str | None = None, **parameters: Any) -> Answer:
        """Reads from a topic."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        return self.get(f"/topics/{topic}/consume?{query}", accept)

    # Answers

    def read_head(self) -> tuple[str, int, dict[str, str]]:
        """The version, the status and the header fields of the next answer."""
        line = self._input.readline()
        if not line.endswith(b"\r\n"):
            raise NoAnswer(f"the connection ended; all that came was {line!r}")
        version, status, _ = (line.decode() + " ").split(" ", 2)
        headers: dict[str, str] = {}
        while True:
            line = self._input.readline()
            if line == b"\r\n":
                return version, int(status), headers
            if not line.endswith(b"\r\n"):
                raise NoAnswer("the connection ended within a header")
            name, value = line.decode("latin-1").split(":", 1)
            headers[name.strip().lower()] = value.strip()

    def read_answer(self, has_body: bool = True) -> Answer:
        """Reads a whole answer."""
        version, status, headers = self.read_head()
        if status < 200:
            return Answer(status, headers, b"", version)
        if not has_body or status in (204, 304):
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = b"".join(self.chunks())
        elif "content-length" in headers:
            length = int(headers["content-length"])
            body = self._input.read(length)
            if len(body) < length:
                raise NoAnswer("the connection ended within a body")
        else:
            body = self._input.read()
        return Answer(status, headers, body, version)

    def chunks(self) -> Iterator[bytes]:
        """The parts of a chunked body, until its end."""
        while True:
            line = self._input.readline()
            if not line:
                raise NoAnswer("the connection ended within a chunked body")
            length = int(line, 16)
            chunk = self._input.read(length)
            self._input.readline()
            if length == 0:
                return
            yield chunk

    def read_some(self) -> bytes:
        """What comes next of the bytes after a head; empty at the end."""
        return self._input.read1(65536)

    def read_to_end(self) -> bytes:
        """All bytes until the server closes; a reset counts as an end."""
        parts: list[bytes] = []
        try:
            while part := self.read_some():
                parts.append(part)
        except ConnectionError:
            pass
        return b"".join(parts)


@dataclass
class Event:
    """One server-sent event."""

    id: int | None
    data: bytes
    kind: str = "message"


class EventStream:
    """A stream of server-sent events on a connection of its own."""

    def __init__(self, port: int, topic: str, query: str = "", last_event_id: int | None = None) -> None:
        self.connection = Connection(port, timeout=30)
        headers = {"Accept": EVENTS}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        self.connection.send_request("GET", f"/topics/{topic}/consume?{query}", headers=headers)
        _, self.status, self.headers = self.connection.read_head()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def __iter__(self) -> Iterator[Event]:
        """The events until the stream ends; comments are passed over."""
        rest = b""
        for chunk in self.connection.chunks():
            rest += chunk
            *blocks, rest = rest.split(b"\n\n")
            for block in blocks:
                event = _event(block)
                if event:
                    yield event

    def take(self, count: int) -> list[Event]:
        """The next `count` events."""
        events: list[Event] = []
        for event in self:
            events.append(event)
            if len(events) == count:
                return events
        raise NoAnswer(f"the stream ended after {len(events)} of {count} events")


def _event(block: bytes) -> Event | None:
    event = Event(None, b"")
    has_field = False
    for line in block.split(b"\n"):
        name, _, value = line.partition(b": ")
        has_field = has_field or name != b""
        if name == b"id":
            event.id = int(value)
        elif name == b"data":
            event.data = value
        elif name == b"event":
            event.kind = value.decode()
    return event if has_field else None
