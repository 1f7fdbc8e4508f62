"""The server dies at any moment, and nothing that it acknowledged is lost or doubled."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Callable

import pytest

from kills import run_kills
from messages import read_all
from server import Server

ROUNDS = 60


@pytest.mark.bounded(180)
def test_nothing_acknowledged_is_lost_or_doubled_over_many_kills(tmp_path: Path, dice: random.Random) -> None:
    tally = run_kills(tmp_path, dice, ROUNDS)
    print(tally)
    assert tally.operations > 10 * ROUNDS


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
