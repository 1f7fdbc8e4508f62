"""What writers were told and readers saw, over any number of servers, and whether one log can have been behind it.

Each message says who sent it, in which of its requests, and where in that request it stands.
"""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum

from messages import Message


class Outcome(Enum):
    """What a writer knows about an append."""

    ACKNOWLEDGED = "acknowledged"  # it is there
    REFUSED = "refused"  # it is not there, and never will be
    UNKNOWN = "unknown"  # it is there once, or not at all


@dataclass
class Attempt:
    """An append, from when it was sent until its outcome was known, on one clock for all."""

    writer: str
    number: int
    count: int
    started: float
    ended: float = 0
    outcome: Outcome = Outcome.UNKNOWN
    first: int = 0

    @property
    def name(self) -> str:
        """Which append it is."""
        return f"{self.writer}/{self.number}"

    def payloads(self, padding: str = "") -> list[str]:
        """The payloads of its messages."""
        return [
            json.dumps({"append": self.name, "index": index, "of": self.count, "padding": padding})
            for index in range(self.count)]


@dataclass
class View:
    """What one reader saw: every page that it took, one after the other from offset 1 on."""

    reader: str
    position: int = 1
    seen: dict[int, Message] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def take(self, start: int, page: list[Message], next_offset: int) -> None:
        """Takes an answer to a read from `start`."""
        if start != self.position:
            self.violations.append(f"{self.reader}: a page from {start} after one that ended before {self.position}")
        offsets = [each.offset for each in page]
        if offsets != sorted(set(offsets)) or any(not start <= each < next_offset for each in offsets):
            self.violations.append(f"{self.reader}: the page from {start} to {next_offset} holds {offsets}")
        if next_offset < start:
            self.violations.append(f"{self.reader}: from {start} it was sent back to {next_offset}")
        self.seen |= {each.offset: each for each in page}
        self.position = max(self.position, next_offset)


class History:
    """All that happened to one topic; any thread may add to it."""

    def __init__(self) -> None:
        self.attempts: list[Attempt] = []
        self.views: list[View] = []
        self._lock = threading.Lock()

    def begin(self, writer: str, number: int, count: int, started: float) -> Attempt:
        """Notes an append before it is sent."""
        attempt = Attempt(writer, number, count, started)
        with self._lock:
            self.attempts.append(attempt)
        return attempt

    def view(self, reader: str) -> View:
        """Notes a reader, which adds its pages itself."""
        view = View(reader)
        with self._lock:
            self.views.append(view)
        return view

    def count(self, outcome: Outcome) -> int:
        """How many appends came out like this."""
        with self._lock:
            return sum(each.outcome is outcome for each in self.attempts)

    def check(self, final: View) -> None:
        """Fails with all that is wrong; `final` has read everything there is."""
        found = self.violations(final)
        assert not found, f"{len(found)} violations:\n" + "\n".join(found[:20])

    def violations(self, final: View) -> list[str]:
        """All that cannot be, given that all readers and writers met one log."""
        found: list[str] = []
        for view in self.views:
            found += view.violations
            found += _disagreements(view, final)
        if final not in self.views:
            found += final.violations
        places, broken = _places(final)
        found += broken
        found += _wrong_outcomes(self.attempts, places)
        acknowledged = [each for each in self.attempts if each.outcome is Outcome.ACKNOWLEDGED]
        found += _disorder_of_writers(acknowledged)
        found += _disorder_in_time(acknowledged)
        return found


def _disagreements(view: View, final: View) -> list[str]:
    """What a reader that passed an offset saw there, against what is there."""
    found = []
    if view.position > final.position:
        found.append(f"{view.reader} came to {view.position}, and everything ends at {final.position}")
    for offset in range(1, min(view.position, final.position)):
        theirs, there = view.seen.get(offset), final.seen.get(offset)
        if theirs == there:
            continue
        if theirs is None:
            found.append(f"{view.reader} passed {offset}, where there is {there}")
        elif there is None:
            found.append(f"{view.reader} saw {theirs} at {offset}, where there is nothing")
        else:
            found.append(f"{view.reader} saw {theirs} at {offset}, where there is {there}")
    return found


def _places(final: View) -> tuple[dict[str, int], list[str]]:
    """The first offset of each append, and those that are there twice or not whole."""
    by_append: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for offset, message in sorted(final.seen.items()):
        value = message.value
        by_append[value["append"]].append((offset, value["index"], value["of"]))
    places: dict[str, int] = {}
    found = []
    for name, parts in by_append.items():
        first, _, count = parts[0]
        places[name] = first
        indices = [index for _, index, _ in parts]
        if len(indices) != len(set(indices)):
            found.append(f"{name} is there more than once, at {[offset for offset, _, _ in parts]}")
        elif parts != [(first + index, index, count) for index in range(count)]:
            found.append(f"{name} is not whole or not together: (offset, index, of) are {parts}")
    return places, found


def _wrong_outcomes(attempts: list[Attempt], places: dict[str, int]) -> list[str]:
    found = []
    known = set()
    for attempt in attempts:
        known.add(attempt.name)
        place = places.get(attempt.name)
        if attempt.outcome is Outcome.ACKNOWLEDGED and place is None:
            found.append(f"{attempt.name} was acknowledged at {attempt.first}, and is lost")
        elif attempt.outcome is Outcome.ACKNOWLEDGED and place != attempt.first:
            found.append(f"{attempt.name} was acknowledged at {attempt.first}, and is at {place}")
        elif attempt.outcome is Outcome.REFUSED and place is not None:
            found.append(f"{attempt.name} was refused, and is at {place}")
    found += [f"{name} at {places[name]} was sent by nobody" for name in places.keys() - known]
    return found


def _disorder_of_writers(acknowledged: list[Attempt]) -> list[str]:
    """A writer's appends stand in the order in which it sent them."""
    found = []
    before: dict[str, Attempt] = {}
    for attempt in sorted(acknowledged, key=lambda each: (each.writer, each.number)):
        previous = before.get(attempt.writer)
        if previous and previous.first + previous.count > attempt.first:
            found.append(f"{attempt.name} at {attempt.first} stands before {previous.name} at {previous.first}")
        before[attempt.writer] = attempt
    return found


def _disorder_in_time(acknowledged: list[Attempt]) -> list[str]:
    """If an append was acknowledged before another began, its offsets are lower."""
    found = []
    by_end = sorted(acknowledged, key=lambda each: each.ended)
    highest, position = 0, 0
    for attempt in sorted(acknowledged, key=lambda each: each.started):
        while by_end[position].ended < attempt.started:
            highest = max(highest, by_end[position].first + by_end[position].count - 1)
            position += 1
        if attempt.first <= highest:
            found.append(f"{attempt.name} at {attempt.first} began after offset {highest} was acknowledged")
    return found
