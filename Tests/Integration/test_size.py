"""A topic with a million messages is read, and its server started, as quickly as one with ten."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Callable

import pytest

from http_client import NDJSON, Connection
from messages import messages_of_page
from server import Server

BATCH = 10_000
MILLION = 1_000_000
ROUNDS = 40
# What grows with the topic would be slower by thousands of times. What remains is the noise of a shared machine, and
# the size of one segment: those of the large topic hold 10,000 messages, that of the small one ten.
FACTOR = 10


def fill(connection: Connection, topic: str, count: int) -> None:
    body = b'{"n":1}\n' * min(count, BATCH)
    for first in range(1, count + 1, BATCH):
        answer = connection.produce(topic, body, NDJSON)
        assert answer.status == 200 and answer.json()["offset"] == first


def timed(connection: Connection, topic: str, offset: int, end: int) -> float:
    """Seconds for a read of up to ten messages."""
    started = time.perf_counter()
    answer = connection.consume(topic, offset=offset)
    seconds = time.perf_counter() - started
    page, next_offset, end_offset = messages_of_page(answer.body)
    assert [each.offset for each in page] == list(range(offset, min(offset + 10, end)))
    assert (next_offset, end_offset) == (min(offset + 10, end), end)
    return seconds


def bytes_read(server: Server) -> int:
    """Bytes that the process has asked the kernel for so far."""
    for line in Path(f"/proc/{server.pid}/io").read_text().splitlines():
        if line.startswith("rchar:"):
            return int(line.split()[1])
    raise AssertionError("/proc/PID/io has no rchar")


def start_time(server: Server) -> float:
    """Seconds from the start of the process to its first answer."""
    started = time.perf_counter()
    server.restart()
    server.check_alive()
    return time.perf_counter() - started


@pytest.mark.bounded(180)
def test_a_million_messages_are_read_and_opened_as_quickly_as_ten(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    small_folder = tmp_path / "small"
    small_folder.mkdir()
    small_server = make_server(small_folder).start()
    server = make_server().start()
    with small_server.connect() as connection:
        fill(connection, "small", 10)
    with server.connect() as connection:
        fill(connection, "small", 10)
        fill(connection, "large", MILLION)

        # Interleaved, so that whatever else the machine does hits all of them alike.
        places = {"start": 1, "middle": MILLION // 2 - 5, "tail": MILLION - 9, "end": MILLION + 1}
        times: dict[str, list[float]] = {name: [] for name in ("ten", "empty", *places)}
        for number in range(ROUNDS):
            times["ten"].append(timed(connection, "small", 1, 11))
            times["empty"].append(timed(connection, "small", 11, 11))
            for name, offset in places.items():
                # Another segment each time, so that no cache has it.
                shift = number * 2 * BATCH if name in ("start", "middle") else 0
                place = offset + shift if name == "start" else offset - shift // 4
                times[name].append(timed(connection, "large", place, MILLION + 1))
        medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
        print("medians in ms:", {name: round(value, 2) for name, value in medians.items()})
        for name in ("start", "middle", "tail"):
            assert medians[name] < FACTOR * medians["ten"], name
        assert medians["end"] < FACTOR * medians["empty"]

        # Counted, not timed: a read in the middle takes no more than a few segments' bytes from the file.
        segment_bytes = BATCH * len('{"offset":1000000,"payload":{"n":1},"timestamp":1700000000000}\n')
        before = bytes_read(server)
        for number in range(10):
            timed(connection, "large", 777_777 - number * 3 * BATCH, MILLION + 1)
        assert (bytes_read(server) - before) / 10 < 3 * segment_bytes

    starts: dict[str, list[float]] = {"small": [], "large": []}
    for _ in range(5):
        for name, each in (("small", small_server), ("large", server)):
            each.kill()
            starts[name].append(start_time(each))
    print("starts in s:", {name: round(statistics.median(values), 3) for name, values in starts.items()})
    assert statistics.median(starts["large"]) < FACTOR * statistics.median(starts["small"])
