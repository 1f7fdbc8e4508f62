"""Writers and readers that go on whatever happens to servers, and note what they were told."""

from __future__ import annotations

import random
import threading
import time
from typing import Callable

from fronts import Front
from history import Attempt, History, Outcome, View
from http_client import JSON, NDJSON, Answer, Connection
from messages import Message, messages_of_lines, messages_of_page

# Longer than a server takes to give up on AWS and say so.
ANSWER_SECONDS = 45
PAUSE_SECONDS = 0.05
Choose = Callable[[], Front]


class Traffic:
    """Threads that write to and read from one topic until they are stopped."""

    def __init__(self, topic: str, history: History, seed: int) -> None:
        self.topic = topic
        self.history = history
        self.problems: list[str] = []
        self._seed = seed
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def write(self, name: str, choose: Choose, batch_max: int = 20) -> None:
        """Starts a writer; it asks anew whom to write to when its connection has ended."""
        self._start(lambda: self._write(name, choose, random.Random(f"{self._seed} {name}"), batch_max))

    def read(self, name: str, choose: Choose) -> None:
        """Starts a reader; it goes on where it was, with whomever it is told to ask."""
        view = self.history.view(name)
        self._start(lambda: self._read(view, choose, random.Random(f"{self._seed} {name}")))

    def stop(self, timeout: float = ANSWER_SECONDS + 10) -> None:
        """Lets each finish what it is doing, and waits for all."""
        self._stopped.set()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
            assert not thread.is_alive(), "a writer or a reader got neither an answer nor the end of its connection"
        assert not self.problems, self.problems[:5]

    def abandon(self) -> None:
        """Lets each end when it can, and waits for none: what they would find does not count any more."""
        self._stopped.set()

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:  # a thread's failure is the test's
                self.problems.append(f"{type(error).__name__}: {error}")

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _connected(self, choose: Choose, work: Callable[[Connection], None]) -> None:
        """Works on connections until stopped: on a new one whenever one has ended."""
        while not self._stopped.is_set():
            try:
                with choose().connect(ANSWER_SECONDS) as connection:
                    while not self._stopped.is_set():
                        work(connection)
            except TimeoutError:
                self.problems.append(f"no answer within {ANSWER_SECONDS} s")
            except (ConnectionError, OSError):
                self._stopped.wait(PAUSE_SECONDS)

    def _write(self, name: str, choose: Choose, dice: random.Random, batch_max: int) -> None:
        number = 0

        def append(connection: Connection) -> None:
            nonlocal number
            number += 1
            count = dice.choice([1, 1, dice.randrange(1, batch_max + 1)])
            attempt = self.history.begin(name, number, count, time.monotonic())
            answer = send(connection, self.topic, attempt, "x" * dice.randrange(50))
            note(attempt, answer)
            if answer.status not in (200, 429, 503):
                self.problems.append(f"{attempt.name}: {answer}")
            if answer.status != 200:
                self._stopped.wait(PAUSE_SECONDS)

        self._connected(choose, append)

    def _read(self, view: View, choose: Choose, dice: random.Random) -> None:
        def take_page(connection: Connection) -> None:
            start = view.position
            answer, page, next_offset = read_page(
                connection, self.topic, start, limit=dice.choice([1, 10, 1000]), wait=dice.choice([0, 0.2, 1]),
                as_lines=dice.random() < 0.5)
            if answer.status == 200:
                view.take(start, page, next_offset)
            elif answer.status not in (429, 503):
                self.problems.append(f"{view.reader} at {start}: {answer}")
            if not page:
                self._stopped.wait(PAUSE_SECONDS)

        self._connected(choose, take_page)


def send(connection: Connection, topic: str, attempt: Attempt, padding: str = "") -> Answer:
    """Sends an append in the form that suits its count."""
    payloads = attempt.payloads(padding)
    if attempt.count == 1:
        return connection.produce(topic, f'{{"payload":{payloads[0]}}}'.encode(), JSON)
    return connection.produce(topic, "\n".join(payloads).encode(), NDJSON)


def note(attempt: Attempt, answer: Answer) -> None:
    """Notes what an answer says about an append."""
    attempt.ended = time.monotonic()
    if answer.status == 200:
        attempt.outcome, attempt.first = Outcome.ACKNOWLEDGED, answer.json()["offset"]
    elif answer.code in ("unavailable", "throttled"):
        attempt.outcome = Outcome.REFUSED


def read_page(
    connection: Connection, topic: str, start: int, limit: int = 1000, wait: float = 0, as_lines: bool = False
) -> tuple[Answer, list[Message], int]:
    """One page from `start`, and where the next begins."""
    answer = connection.consume(topic, NDJSON if as_lines else None, offset=start, limit=limit, wait=wait)
    if answer.status != 200:
        return answer, [], start
    if as_lines:
        return answer, messages_of_lines(answer.body), int(answer.headers["next-offset"])
    page, next_offset, _ = messages_of_page(answer.body)
    return answer, page, next_offset


def read_everything(front: Front, topic: str, timeout: float = 30, name: str = "final") -> View:
    """A view of all that there is, up to the end, past holes that have to be waited for."""
    view = View(name)
    deadline = time.monotonic() + timeout
    with front.connect(ANSWER_SECONDS) as connection:
        while True:
            answer = connection.consume(topic, offset=view.position, limit=10_000, wait=1)
            if answer.status == 200:
                page, next_offset, end_offset = messages_of_page(answer.body)
                view.take(view.position, page, next_offset)
                if next_offset == end_offset:
                    return view
            assert time.monotonic() < deadline, (
                f"{topic} cannot be read past {view.position} within {timeout} s; the last answer was {answer}\n"
                + front.log()[-2000:])
