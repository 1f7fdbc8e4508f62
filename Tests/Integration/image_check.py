"""Holds a data file against what producers were told, without a server."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from workload import Ledger

# An append: its request and its first offset.
Place = tuple[str, int]


class ImageCheck:
    """Checks many copies of one server's data file; remembers which segments it has seen to be whole."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._places: dict[bytes, list[Place]] = {}

    def violations(self, data: Path, disk_moment: int) -> list[str]:
        """All that is wrong with the file, given what was acknowledged before a moment of its disk."""
        try:
            with closing(sqlite3.connect(data, isolation_level=None)) as database:
                # The copy is thrown away.
                database.execute("PRAGMA synchronous = OFF")
                return self._wrong_pages(database) or self._wrong_log(database, disk_moment)
        except (sqlite3.Error, AssertionError) as error:
            return [f"{type(error).__name__}: {error}"]

    def _wrong_pages(self, database: sqlite3.Connection) -> list[str]:
        answers = [row[0] for row in database.execute("PRAGMA integrity_check")]
        return [] if answers == ["ok"] else [f"integrity check: {answer}" for answer in answers[:3]]

    def _wrong_log(self, database: sqlite3.Connection, disk_moment: int) -> list[str]:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        topics: dict[str, int] = {}
        segments: dict[str, list[tuple[int, int, bytes]]] = {}
        if "topic" in tables:
            topics = dict(database.execute("SELECT name, current_offset FROM topic"))
            for name, first, last, body in database.execute(
                    "SELECT name, first, last, body FROM segment JOIN topic ON topic.id = segment.topic ORDER BY last"):
                segments.setdefault(name, []).append((first, last, body))
        found = []
        for topic in topics.keys() | self._ledger.appends.keys():
            found += self._wrong_topic(topic, topics.get(topic, 0), segments.get(topic, []), disk_moment)
        return found

    def _wrong_topic(
        self, topic: str, current: int, segments: list[tuple[int, int, bytes]], disk_moment: int
    ) -> list[str]:
        found = []
        end = 1
        places: dict[str, int] = {}
        for first, last, body in segments:
            if first < end:
                found.append(f"{topic}: the segment [{first}, {last}] begins below {end}, where one ended")
            end = last + 1
            for request, place in self._read(first, last, body):
                if request in places:
                    found.append(f"{topic}: {request} is there twice, at {places[request]} and {place}")
                places[request] = place
        if current != end - 1:
            found.append(f"{topic}: its counter is {current}, and its segments end with {end - 1}")
        for append in list(self._ledger.appends[topic]):
            place = places.pop(append.request, None)
            if append.first is not None and append.disk_moment <= disk_moment and place is None:
                found.append(f"{topic}: {append.request} was acknowledged at {append.first}, and is lost")
            elif append.first is not None and place not in (append.first, None):
                found.append(f"{topic}: {append.request} was acknowledged at {append.first}, and is at {place}")
            elif append.refusal == "unavailable" and place is not None:
                found.append(f"{topic}: {append.request} was refused, and is at {place}")
        return found + [f"{topic}: {request} at {place} was sent by nobody" for request, place in places.items()]

    def _read(self, first: int, last: int, body: bytes) -> list[Place]:
        """The appends of a segment; each is whole, and all together fill it."""
        if body not in self._places:
            messages = [json.loads(line) for line in body.splitlines()]
            offsets = [message["offset"] for message in messages]
            assert offsets == list(range(first, last + 1)), f"the segment [{first}, {last}] holds {offsets}"
            places: list[Place] = []
            position = 0
            while position < len(messages):
                request, count = (messages[position]["payload"][name] for name in ("request", "of"))
                found = [(each["payload"]["request"], each["payload"]["index"])
                         for each in messages[position:position + count]]
                assert found == [(request, index) for index in range(count)], f"{request} is not whole: {found}"
                places.append((request, first + position))
                position += count
            self._places[body] = places
        return self._places[body]
