"""The server dies at any moment, and nothing that it acknowledged is lost or doubled."""

from __future__ import annotations

import random
import time
from typing import Callable

import pytest

from conditions import wait_until
from messages import read_all
from server import Server
from workload import Checker, Ledger, Producers

ROUNDS = 60
TOPICS = ["orders", "payments", "Log.of-all_things"]


@pytest.mark.bounded(180)
def test_nothing_acknowledged_is_lost_or_doubled_over_many_kills(
    make_server: Callable[..., Server], dice: random.Random
) -> None:
    server = make_server()
    ledger = Ledger()
    checkers = {topic: Checker(ledger, topic) for topic in TOPICS}
    seed = dice.randrange(2**32)
    early_kills = 0
    for number in range(ROUNDS):
        if dice.random() < 0.2:
            # Also while it is starting and recovering what the last kill left.
            server.launch()
            time.sleep(dice.uniform(0, 0.2))
            server.kill()
            early_kills += 1
        server.start()
        check_new_messages(server, checkers)
        acknowledged_before = ledger.acknowledged_count
        producers = Producers(server.port, TOPICS, ledger, seed, count=6, name=f"round{number}").start()
        if dice.random() < 0.9:
            wait_until(lambda: ledger.acknowledged_count > acknowledged_before, "a first acknowledgement")
        time.sleep(dice.uniform(0, 0.4))
        server.kill()
        producers.join()
        assert producers.failures == []
    server.start()
    check_all_messages(server, ledger)
    messages = sum(checker.next_offset - 1 for checker in checkers.values())
    print(f"{ROUNDS} kills under load, {early_kills} while starting; {ledger.acknowledged_count} appends acknowledged, "
          f"{messages} messages")
    assert ledger.acknowledged_count > 10 * ROUNDS


def check_new_messages(server: Server, checkers: dict[str, Checker]) -> None:
    """Checks what came since the last time, and that what was there then still begins where it did."""
    with server.connect() as connection:
        for topic, checker in checkers.items():
            checker.take(read_all(connection, topic, start=checker.next_offset))
            checker.check()


def check_all_messages(server: Server, ledger: Ledger) -> None:
    """Checks everything from the first offset on."""
    with server.connect() as connection:
        for topic in TOPICS:
            checker = Checker(ledger, topic)
            checker.take(read_all(connection, topic))
            checker.check()


def test_offsets_go_on_above_everything_acknowledged_before_the_crash(
    make_server: Callable[..., Server], topic: str
) -> None:
    server = make_server()
    highest = 0
    for _ in range(5):
        server.start()
        with server.connect() as connection:
            for _ in range(3):
                answer = connection.produce(topic, b'{"payload":1}')
                assert answer.json()["offset"] > highest
                highest = answer.json()["offset"]
        server.kill()


def test_a_batch_is_there_as_a_whole_or_not_at_all_however_large(
    make_server: Callable[..., Server], dice: random.Random
) -> None:
    server = make_server()
    sizes: set[int] = set()
    for number in range(12):
        server.start()
        topic = f"batch{number}"
        with server.connect() as connection:
            lines = b"\n".join(b'"%d %s"' % (index, b"x" * 40) for index in range(10_000))
            connection.send_request("POST", f"/topics/{topic}/produce", lines, {"Content-Type": "application/x-ndjson"})
            time.sleep(dice.uniform(0, 0.2))
        server.kill()
        server.start()
        with server.connect() as connection:
            sizes.add(len(read_all(connection, topic)))
        server.kill()
    print(f"sizes: {sizes}")
    assert sizes <= {0, 10_000}
