"""The checker of histories accepts what can be, and names what cannot."""

from __future__ import annotations

import random
from typing import Callable

import pytest

from history import Attempt, History, Outcome, View
from messages import Message


def sound_history() -> tuple[History, View]:
    """Two writers, two readers that differ in how far they came, a filler at 6, one append of each outcome."""
    history = History()
    log: dict[int, Message] = {}

    def append(writer: str, number: int, count: int, started: float, outcome: Outcome, first: int) -> None:
        attempt = history.begin(writer, number, count, started)
        attempt.ended, attempt.outcome = started + 1.5, outcome
        if outcome is Outcome.ACKNOWLEDGED:
            attempt.first = first
        for index, payload in enumerate(attempt.payloads() if first else []):
            log[first + index] = Message(first + index, payload.encode(), 1)

    append("a", 1, 1, 1.0, Outcome.ACKNOWLEDGED, 1)
    append("b", 1, 3, 1.2, Outcome.ACKNOWLEDGED, 2)
    append("a", 2, 1, 3.0, Outcome.UNKNOWN, 5)
    append("b", 2, 1, 3.1, Outcome.UNKNOWN, 0)
    append("a", 3, 1, 5.0, Outcome.REFUSED, 0)
    append("b", 3, 2, 5.1, Outcome.ACKNOWLEDGED, 7)
    for reader, pages in [("slow", [(1, 2), (2, 2), (2, 5)]), ("quick", [(1, 5), (5, 9)])]:
        view = history.view(reader)
        for start, end in pages:
            view.take(start, [log[offset] for offset in range(start, end) if offset in log], end)
    final = View("final")
    final.take(1, [log[offset] for offset in sorted(log)], 9)
    return history, final


def of(history: History, name: str) -> Attempt:
    return next(each for each in history.attempts if each.name == name)


def test_a_sound_history_is_accepted() -> None:
    history, final = sound_history()
    assert history.violations(final) == []


def lose_acknowledged(history: History, final: View) -> None:
    for view in [*history.views, final]:
        view.seen.pop(7, None)
        view.seen.pop(8, None)


def double(history: History, final: View) -> None:
    final.seen[6] = Message(6, final.seen[1].payload, 1)
    history.views[1].seen[6] = final.seen[6]


def tear(history: History, final: View) -> None:
    for view in [*history.views, final]:
        view.seen.pop(3, None)


def move(history: History, final: View) -> None:
    of(history, "a/1").first = 9


def let_refused_appear(history: History, final: View) -> None:
    of(history, "a/2").outcome = Outcome.REFUSED


def swap_order_of_writer(history: History, final: View) -> None:
    # b/3 before b/1, without any overlap in time to tell.
    of(history, "b/3").number, of(history, "b/1").number = 1, 3
    for attempt in history.attempts:
        attempt.started, attempt.ended = 1.0, 9.0


def swap_order_in_time(history: History, final: View) -> None:
    of(history, "b/3").started, of(history, "b/3").ended = 0.1, 0.2


def let_reader_skip(history: History, final: View) -> None:
    del history.views[1].seen[4]


def show_reader_something_else(history: History, final: View) -> None:
    history.views[0].seen[2] = Message(2, b'{"append":"b/1","index":0,"of":3,"padding":"other"}', 1)


def show_reader_what_vanished(history: History, final: View) -> None:
    history.views[1].seen[6] = Message(6, b'{"append":"a/3","index":0,"of":1}', 1)


def let_reader_pass_the_end(history: History, final: View) -> None:
    history.views[1].position = 12


def let_reader_jump(history: History, final: View) -> None:
    history.views[1].take(11, [], 11)


def give_reader_disorder(history: History, final: View) -> None:
    final.take(9, [Message(10, b"{}", 1), Message(9, b"{}", 1)], 11)
    for offset in (9, 10):
        del final.seen[offset]


def invent(history: History, final: View) -> None:
    final.seen[6] = Message(6, b'{"append":"c/1","index":0,"of":1}', 1)
    history.views[1].seen[6] = final.seen[6]


@pytest.mark.parametrize("spoil, complaint", [
    (lose_acknowledged, "b/3 was acknowledged at 7, and is lost"),
    (double, "a/1 is there more than once"),
    (tear, "b/1 is not whole"),
    (move, "a/1 was acknowledged at 9, and is at 1"),
    (let_refused_appear, "a/2 was refused, and is at 5"),
    (swap_order_of_writer, "b/3 at 2 stands before b/1 at 7"),
    (swap_order_in_time, "a/1 at 1 began after offset 8 was acknowledged"),
    (let_reader_skip, "quick passed 4"),
    (show_reader_something_else, "slow saw"),
    (show_reader_what_vanished, "where there is nothing"),
    (let_reader_pass_the_end, "quick came to 12"),
    (let_reader_jump, "a page from 11 after one that ended before 9"),
    (give_reader_disorder, "the page from 9 to 11 holds [10, 9]"),
    (invent, "c/1 at 6 was sent by nobody"),
])
def test_a_broken_history_is_named(spoil: Callable[[History, View], None], complaint: str) -> None:
    history, final = sound_history()
    spoil(history, final)
    assert any(complaint in each for each in history.violations(final)), history.violations(final)


def test_a_large_sound_history_is_accepted_and_one_exchange_in_it_found(dice: random.Random) -> None:
    history, final = History(), View("final")
    page = []
    offset = 1
    for number in range(1, 2001):
        attempt = history.begin(f"w{number % 16}", number, dice.randrange(1, 5), number)
        attempt.ended, attempt.outcome, attempt.first = number + dice.uniform(0, 0.9), Outcome.ACKNOWLEDGED, offset
        page += [Message(offset + index, each.encode(), 1) for index, each in enumerate(attempt.payloads())]
        offset += attempt.count
    final.take(1, page, offset)
    assert history.violations(final) == []
    one, other = dice.sample(history.attempts, 2)
    one.ended, other.ended = other.ended, one.ended
    one.started, other.started = other.started, one.started
    assert history.violations(final) != []
