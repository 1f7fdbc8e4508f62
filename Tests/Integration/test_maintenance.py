"""Maintenance from outside: compaction under load, what it costs and gains, verify, recover."""

from __future__ import annotations

import random
import re
import threading
import time
from pathlib import Path
from typing import Callable

import pytest

from aws_layout import check_item, check_objects, seed
from aws_store import AWSStore
from command_line import Outcome, run
from fronts import Front, aws_requests
from http_client import NDJSON
from messages import messages_of_lines
from server import Server

HOUR = 3600
MakeFront = Callable[..., Front]


def command(name: str, store: AWSStore, *arguments: str, **environment: str) -> Outcome:
    """Runs a command that works on the store itself."""
    return run(name, "--store", "aws", *arguments, environment=store.environment | environment, timeout=300)


def counted(front: Front, topic: str, count: int) -> tuple[int, list[bytes]]:
    """How many requests a reader's way from the beginning to offset `count` costs, and what it reads."""
    before = aws_requests(front)
    payloads: list[bytes] = []
    with front.connect(60) as connection:
        while len(payloads) < count:
            answer = connection.consume(topic, NDJSON, offset=len(payloads) + 1, limit=min(1000, count - len(payloads)))
            assert answer.status == 200, answer
            payloads += [message.payload for message in messages_of_lines(answer.body)]
    return sum((aws_requests(front) - before).values()), payloads


class Bystanders:
    """A writer and a reader that work while something is done to their topic; what they see must be right."""

    def __init__(self, front: Front, topic: str, payloads: list[bytes]) -> None:
        self.appended: list[bytes] = []
        self.pages = 0
        self._front, self._topic, self._payloads = front, topic, payloads
        self._problems: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._guard, args=[work]) for work in (self._write, self._read)]

    def __enter__(self) -> Bystanders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
        assert not self._problems, self._problems

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # a thread's failure is the test's
            self._problems.append(f"{type(error).__name__}: {error}")

    def _write(self) -> None:
        with self._front.connect(60) as connection:
            while not self._over.wait(0.05):
                payload = b'"new %d"' % len(self.appended)
                answer = connection.produce(self._topic, b'{"payload":%s}' % payload)
                assert answer.status == 200, answer
                assert answer.json()["offset"] == len(self._payloads) + len(self.appended) + 1
                self.appended.append(payload)

    def _read(self) -> None:
        dice = random.Random(1)
        with self._front.connect(60) as connection:
            while not self._over.is_set():
                # None reaches the newest messages: it might close a write that takes too long.
                start = dice.randrange(1, len(self._payloads) - 200)
                answer = connection.consume(self._topic, NDJSON, offset=start, limit=dice.choice([1, 10, 200]))
                assert answer.status == 200, answer
                for offset, message in enumerate(messages_of_lines(answer.body), start):
                    assert message.offset == offset, "a message is missing"
                    if offset <= len(self._payloads):
                        assert message.payload == self._payloads[offset - 1], offset
                self.pages += 1


@pytest.mark.bounded(400)
def test_compaction_of_ten_thousand_objects_disturbs_nobody_and_makes_reading_cheap(
    make_server: Callable[..., Server], make_store: Callable[[], AWSStore], tmp_path: Path
) -> None:
    store = make_store()
    # The proxy in front of the stand-in would take most of the time.
    store = store.behind(store.direct_endpoint)
    count = 10_000
    seeded = seed(store, "t", [1] * count, age_seconds=2 * HOUR)
    server = make_server(tmp_path, store=store).start()
    requests_before, payloads = counted(server, "t", count)
    assert payloads == [message.payload for message in seeded]

    with Bystanders(server, "t", payloads) as bystanders:
        outcome = command("maintain", store, "t")
    assert outcome.status == 0, outcome
    text = outcome.output.decode()
    assert re.search(r"Merges: 80\.", text), text
    assert re.search(r"Looked at 10000 segments with 10000 messages, \d+ bytes; now 80 segments", text), text
    assert bystanders.pages > 0 and bystanders.appended, "nobody read or wrote meanwhile"
    objects = check_objects(store, "t")
    assert len([each for each in objects if each.last <= count]) == 80
    check_item(store, "t")

    fresh = make_server(tmp_path, store=store, name="fresh").start()
    requests_after, payloads_after = counted(fresh, "t", count)
    assert payloads_after == payloads
    with fresh.connect() as connection:
        rest = messages_of_lines(connection.consume("t", NDJSON, offset=count + 1, limit=10_000).body)
    assert [message.payload for message in rest] == bystanders.appended
    assert requests_before >= 50 * requests_after, (requests_before, requests_after)
    assert command("verify", store).status == 0
    # A second time there is nothing to do, and little to look at.
    again = command("maintain", store, "t")
    assert again.status == 0 and "Merges: 0." in again.output.decode(), again


def test_verify_names_every_kind_of_damage_in_a_bucket(make_store: Callable[[], AWSStore]) -> None:
    store = make_store()
    for topic in ("sound", "gap", "behind", "garbled", "lost"):
        seed(store, topic, [1, 2, 3], age_seconds=2 * HOUR)
    assert command("verify", store).status == 0
    store.s3.delete_object(Bucket=store.bucket, Key=store.keys("gap")[1])
    item = store.item("behind")
    assert item
    store.put_item(item | {"current_offset": 3})
    store.s3.put_object(Bucket=store.bucket, Key=store.keys("garbled")[0], Body=b"nothing", Metadata={"format": "9"})
    store.delete_item("lost")
    outcome = command("verify", store)
    assert outcome.status == 1, outcome
    lines = [line.decode() for line in outcome.lines]
    for start in (
        "error: topic gap, offset 2, gap: ", "error: topic behind, offset 6, counter behind: ",
        "error: topic garbled, offset 1, unreadable: ", "error: topic lost, no item: ",
    ):
        assert any(line.startswith(start) for line in lines), (start, lines)
    assert not any("topic sound" in line for line in lines)
    assert lines[-1].endswith("4 errors, 0 notes."), lines


def test_verify_reads_a_data_file_beside_its_server(server: Server, tmp_path: Path) -> None:
    with server.connect() as connection:
        for _ in range(3):
            assert connection.produce("t", b"1\n2\n", NDJSON).status == 200
    outcome = run("verify", "--data", str(server.data))
    assert (outcome.status, outcome.lines[-1]) == (0, b"1 topics, 3 segments, 6 messages: 0 errors, 0 notes."), outcome
    busy = run("maintain", "--data", str(server.data))
    assert busy.status != 0 and "use" in busy.errors, busy
    assert run("verify", "--data", str(tmp_path / "none")).status == 2


def test_recover_raises_counters_of_topics_that_nobody_has_met(
    make_server: Callable[..., Server], make_store: Callable[[], AWSStore], tmp_path: Path
) -> None:
    store = make_store()
    for topic in ("a", "b-lost", "c"):
        seed(store, topic, [1, 2, 3], age_seconds=2 * HOUR)
    store.delete_item("b-lost")
    item = store.item("c")
    assert item
    store.put_item(item | {"current_offset": 3})
    assert command("verify", store).status == 1
    started = time.monotonic()
    outcome = command("recover", store, STREAMS_RECOVERY_WAIT="1")
    assert outcome.status == 0, outcome
    assert time.monotonic() - started >= 1
    for topic in ("a", "b-lost", "c"):
        assert f"{topic}: open again, its end is 7".encode() in outcome.lines, outcome
    assert command("verify", store).status == 0
    server = make_server(tmp_path, store=store).start()
    for topic in ("a", "b-lost", "c"):
        with server.connect() as connection:
            assert connection.produce(topic, b'{"payload":1}').json()["offset"] == 7
