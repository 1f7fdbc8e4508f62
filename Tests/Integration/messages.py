"""Messages cut out of answers with their bytes as they came.

Nothing is decoded that a test compares: a parser that reads `1e400` or a duplicate member would hide a difference.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from json.decoder import JSONDecoder, scanstring
from typing import Iterator

from http_client import NDJSON, Answer, Connection

# Numbers are kept as text, so that none is too large.
_decoder = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


@dataclass(frozen=True)
class Message:
    """A message, its values as the bytes of their JSON."""

    offset: int
    payload: bytes
    timestamp: int
    key: bytes | None = None
    headers: bytes | None = None

    @property
    def value(self):
        """The payload, decoded."""
        return json.loads(self.payload)


def members(text: str, position: int = 0) -> tuple[dict[str, str], int]:
    """The members of a JSON object without white space between them, as raw text, and where the object ends."""
    found: dict[str, str] = {}
    assert text[position] == "{", text[position:position + 40]
    while text[position] != "}":
        assert text[position] in "{,", text[position:position + 40]
        assert text[position + 1] == '"', text[position:position + 40]
        name, colon = scanstring(text, position + 2, True)
        assert text[colon] == ":", text[colon:colon + 40]
        _, end = _decoder.raw_decode(text, colon + 1)
        assert name not in found, f"{name} is there twice"
        found[name] = text[colon + 1:end]
        position = end
    return found, position + 1


def message(line: bytes) -> Message:
    """The message of one JSON object."""
    text = line.decode()
    found, end = members(text)
    assert end == len(text), text[end:end + 40]
    return _message(found)


def messages_of_lines(body: bytes) -> list[Message]:
    """The messages of an NDJSON answer."""
    assert not body or body.endswith(b"\n")
    return [message(line) for line in body.split(b"\n")[:-1]]


def messages_of_page(body: bytes) -> tuple[list[Message], int, int]:
    """The messages, `next_offset` and `end_offset` of a JSON answer."""
    page, end = members(body.decode())
    assert end == len(body.decode())
    assert list(page) == ["messages", "next_offset", "end_offset"]
    text = page["messages"]
    found: list[Message] = []
    position = 0
    while text[position] != "]" and text != "[]":
        assert text[position] in "[,"
        raw, position = members(text, position + 1)
        found.append(_message(raw))
    return found, int(page["next_offset"]), int(page["end_offset"])


def read_all(connection: Connection, topic: str, start: int = 1, limit: int = 10_000) -> list[Message]:
    """Every message from `start` to the end of the topic, without waiting for any."""
    return list(iterate(connection, topic, start, limit))


def iterate(connection: Connection, topic: str, start: int = 1, limit: int = 10_000) -> Iterator[Message]:
    """Every message from `start` to the end of the topic, page by page."""
    while True:
        answer = connection.consume(topic, NDJSON, offset=start, limit=limit)
        assert answer.status == 200, answer
        page = messages_of_lines(answer.body)
        yield from page
        next_offset, end_offset = (int(answer.headers[name]) for name in ("next-offset", "end-offset"))
        assert all(start <= each.offset < next_offset for each in page)
        start = next_offset
        if start == end_offset:
            return
        assert page, f"{topic} can not be read past {start}, though it ends at {end_offset}"


def problem(answer: Answer, status: int, code: str) -> dict:
    """The problem document of an answer, which must have this status and this code."""
    assert (answer.status, answer.code) == (status, code), answer
    return answer.json()


def _message(found: dict[str, str]) -> Message:
    assert list(found)[:3] == ["offset", "payload", "timestamp"], found
    assert set(found) <= {"offset", "payload", "timestamp", "key", "headers"}, found
    return Message(
        int(found["offset"]), found["payload"].encode(), int(found["timestamp"]),
        found["key"].encode() if "key" in found else None,
        found["headers"].encode() if "headers" in found else None)
