"""Concurrent producers whose acknowledgements are held against what the log has afterwards."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Callable

from http_client import JSON, NDJSON, Connection
from messages import Message, read_all


@dataclass
class Append:
    """One produce request: its messages say which request they belong to."""

    topic: str
    request: str
    count: int
    started: float
    acknowledged: float | None = None
    first: int | None = None
    refusal: str = ""
    # How long the journal of the server's disk was when the acknowledgement had come, where there is one.
    disk_moment: int = 0


@dataclass
class Ledger:
    """All appends that were tried, by topic."""

    appends: dict[str, list[Append]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, append: Append) -> None:
        """Notes an append, whatever came of it."""
        with self._lock:
            self.appends[append.topic].append(append)

    def acknowledged(self, topic: str) -> list[Append]:
        """The appends of a topic that were acknowledged."""
        return [append for append in self.appends[topic] if append.first is not None]

    def all_acknowledged(self) -> list[Append]:
        """The appends of all topics that were acknowledged."""
        return [append for topic in list(self.appends) for append in self.acknowledged(topic)]

    def before(self, disk_moment: int) -> Ledger:
        """What was known at a moment of the disk: of what was acknowledged later, the outcome was open."""
        known = Ledger()
        for topic, appends in list(self.appends.items()):
            known.appends[topic] = [
                replace(each, first=None, acknowledged=None) if each.disk_moment > disk_moment else each
                for each in list(appends)]
        return known

    @property
    def acknowledged_count(self) -> int:
        """How many appends were acknowledged so far."""
        return len(self.all_acknowledged())


class Producers:
    """Threads that append to several topics, in all three forms, until the server is gone or they are stopped."""

    def __init__(
        self, port: int, topics: list[str], ledger: Ledger, seed: int, count: int, name: str,
        disk_moment: Callable[[], int] = lambda: 0,
    ) -> None:
        self._port = port
        self._topics = topics
        self._ledger = ledger
        self._disk_moment = disk_moment
        self._stopped = threading.Event()
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._produce, args=(f"{name}-{number}", random.Random(f"{seed} {name} {number}")))
            for number in range(count)]

    def start(self) -> Producers:
        """Starts all of them."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Lets each finish its request, and waits for them."""
        self._stopped.set()
        self.join()

    def join(self) -> None:
        """Waits until the last has seen that the server is gone."""
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive(), "a producer got neither an answer nor the end of its connection"

    def _produce(self, name: str, dice: random.Random) -> None:
        number = 0
        try:
            with Connection(self._port) as connection:
                while not self._stopped.is_set():
                    number += 1
                    self._append(connection, f"{name}-{number}", dice)
        except (ConnectionError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                self.failures.append(f"{name}: no answer in time")

    def _append(self, connection: Connection, request: str, dice: random.Random) -> None:
        form = dice.choice(["single", "single", "batch", "lines"])
        count = 1 if form == "single" else dice.randrange(1, 30)
        padding = "x" * (dice.randrange(30_000) if dice.random() < 0.02 else dice.randrange(50))
        payloads = [
            json.dumps({"request": request, "index": index, "of": count, "padding": padding})
            for index in range(count)]
        if form == "lines":
            body, media_type = "\n".join(payloads), NDJSON
        elif form == "batch":
            items = ",".join(f'{{"payload":{payload}}}' for payload in payloads)
            body, media_type = f'{{"messages":[{items}]}}', JSON
        else:
            body, media_type = f'{{"payload":{payloads[0]}}}', JSON
        append = Append(dice.choice(self._topics), request, count, time.monotonic())
        self._ledger.add(append)
        answer = connection.produce(append.topic, body.encode(), media_type)
        if answer.status == 200:
            append.disk_moment = self._disk_moment()
            append.first = answer.json()["offset"]
            append.acknowledged = time.monotonic()
            assert form == "single" or answer.json()["count"] == count
        elif answer.status == 503:
            append.refusal = answer.code
        else:
            self.failures.append(f"{request}: {answer}")


class Checker:
    """Holds a topic's messages against the ledger; remembers how far it has come."""

    def __init__(self, ledger: Ledger, topic: str) -> None:
        self._ledger = ledger
        self._topic = topic
        self._places: dict[str, int] = {}
        self.next_offset = 1

    def take(self, messages: list[Message]) -> None:
        """Takes in what stands from `next_offset` to the end: each request once, and whole."""
        position = 0
        while position < len(messages):
            first = messages[position]
            value = first.value
            request, count = value["request"], value["of"]
            assert value["index"] == 0, f"{self._topic}: the beginning of {request} is missing at {first.offset}"
            assert request not in self._places, f"{self._topic}: {request} is there twice, at {first.offset} too"
            batch = messages[position:position + count]
            found = [(each.value["request"], each.value["index"], each.offset) for each in batch]
            assert found == [(request, index, first.offset + index) for index in range(count)], (
                f"{self._topic}: {request} is not whole at {first.offset}: {found}")
            self._places[request] = first.offset
            position += count
        if messages:
            self.next_offset = messages[-1].offset + 1

    def check(self) -> None:
        """Every acknowledged append is where its answer said; one refused for certain is nowhere; order holds."""
        for append in self._ledger.appends[self._topic]:
            place = self._places.get(append.request)
            if append.first is not None:
                assert place == append.first, f"{self._topic}: {append} is at {place}"
            elif append.refusal == "unavailable":
                assert place is None, f"{self._topic}: {append} was refused, and is at {place}"
        check_linear(self._ledger.acknowledged(self._topic))


def check_everything(connection: Connection, ledger: Ledger, topics: list[str]) -> int:
    """Checks all that some topics hold, from the first offset on; returns how many messages that is."""
    count = 0
    for topic in topics:
        checker = Checker(ledger, topic)
        messages = read_all(connection, topic)
        checker.take(messages)
        checker.check()
        count += len(messages)
    return count


def check_linear(appends: list[Append]) -> None:
    """If an append was acknowledged before another began, its offsets are lower."""
    by_end = sorted(appends, key=lambda append: append.acknowledged or 0)
    highest = 0
    position = 0
    for append in sorted(appends, key=lambda append: append.started):
        while (by_end[position].acknowledged or 0) < append.started:
            highest = max(highest, (by_end[position].first or 0) + by_end[position].count - 1)
            position += 1
        assert (append.first or 0) > highest, f"{append} began after offset {highest} was acknowledged"
