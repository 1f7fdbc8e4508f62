"""A disk that is full or fails: an honest answer, reads that go on, and nothing acknowledged that gets lost."""

from __future__ import annotations

import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterator

import pytest

from disk_shims import FULL, UNREAD, UNSYNCED, Disk
from failing_disk import ALL_KINDS, run_failing_disk
from http_client import NDJSON
from messages import messages_of_lines, problem, read_all
from server import Server
from workload import Ledger

MakeServer = Callable[..., Server]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A disk without faults, yet."""
    return Disk(tmp_path)


def payloads(server: Server, topic: str) -> list[bytes]:
    """What the topic holds, read to its end without waiting."""
    with server.connect(timeout=5) as connection:
        return [each.payload for each in read_all(connection, topic)]


def test_a_full_disk_refuses_appends_and_serves_reads_until_space_returns(
    make_server: MakeServer, disk: Disk
) -> None:
    server = make_server(environment=disk.environment).start()
    with server.connect() as connection:
        for number in range(20):
            assert connection.produce("t", b'{"payload":%d}' % number).status == 200
        disk.fail(FULL)
        for _ in range(5):
            started = time.monotonic()
            answer = connection.produce("t", b'{"payload":"refused"}')
            problem(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) >= 1
            problem(connection.produce("t", b'"refused"\n' * 500, NDJSON), 503, "unavailable")
            problem(connection.produce("new", b'{"payload":"refused"}'), 503, "unavailable")
            problem(connection.request("PUT", "/topics/new"), 503, "unavailable")
            assert time.monotonic() - started < 5
            # Reads go on, at the end too.
            assert payloads(server, "t") == [b"%d" % number for number in range(20)]
            assert connection.consume("t", offset="latest").json()["messages"] == []
            assert connection.get("/topics").json()["topics"] == [{"topic": "t"}]
            assert connection.get("/health").status == 200
        disk.recover()
        assert connection.produce("t", b'{"payload":"after"}').status == 200
        assert connection.produce("new", b'{"payload":"after"}').status == 200
    for _ in range(2):
        assert payloads(server, "t") == [b"%d" % number for number in range(20)] + [b'"after"']
        assert payloads(server, "new") == [b'"after"']
        server.kill()
        server.restart()


def test_a_follower_outlives_a_full_disk(make_server: MakeServer, disk: Disk) -> None:
    server = make_server(environment=disk.environment).start()
    with server.connect() as reader, server.connect() as writer:
        reader.send_request("GET", "/topics/t/consume?wait=20")
        disk.fail(FULL)
        problem(writer.produce("t", b'{"payload":"refused"}'), 503, "unavailable")
        disk.recover()
        assert writer.produce("t", b'{"payload":"written"}').status == 200
        assert [each["payload"] for each in reader.read_answer().json()["messages"]] == ["written"]


@pytest.mark.parametrize("kinds", [FULL, UNSYNCED, ALL_KINDS], ids=["full", "flushes fail", "all"])
def test_nothing_acknowledged_is_lost_while_the_disk_fails_now_and_then(
    tmp_path: Path, dice: random.Random, kinds: str
) -> None:
    ledger = Ledger()
    tally = run_failing_disk(tmp_path, dice, kinds, ledger=ledger)
    refusals = [append.refusal for appends in ledger.appends.values() for append in appends if append.refusal]
    print(f"{tally}; {len(refusals)} refused")
    if kinds == FULL:
        assert "unavailable" in refusals


@pytest.mark.bounded(60)
def test_an_append_whose_flush_fails_is_never_acknowledged(make_server: MakeServer, disk: Disk) -> None:
    server = make_server(environment=disk.environment).start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":"before"}').status == 200
    disk.fail(UNSYNCED)

    def produce(number: int) -> tuple[bytes, str]:
        payload = b'"failed %d"' % number
        with server.connect(timeout=40) as connection:
            answer = connection.produce(f"t{number % 3}" if number % 2 else "t", b'{"payload":%s}' % payload)
            assert answer.status == 503, answer
            return payload, answer.code

    with ThreadPoolExecutor(8) as pool:
        outcomes = dict(pool.map(produce, range(8)))
    assert set(outcomes.values()) <= {"unavailable", "outcome_unknown"}
    # Readers are not held up by it either.
    assert payloads(server, "t")[:1] == [b'"before"']
    server.kill()
    disk.recover()
    server.restart()
    found = [payload for topic in ("t", "t0", "t1", "t2") for payload in payloads(server, topic)]
    for payload, code in outcomes.items():
        assert found.count(payload) <= (1 if code == "outcome_unknown" else 0), (payload, code)
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":"after"}').status == 200
    assert payloads(server, "t")[0] == b'"before"' and payloads(server, "t")[-1] == b'"after"'


def test_a_read_that_fails_is_an_error_and_no_gap(make_server: MakeServer, disk: Disk) -> None:
    server = make_server(environment=disk.environment).start()
    # More than SQLite keeps in memory, so that it has to read.
    expected = [b'"%d %s"' % (number, b"x" * 2_000) for number in range(3_000)]
    with server.connect() as connection:
        for start in range(0, len(expected), 100):
            assert connection.produce("t", b"\n".join(expected[start:start + 100]), NDJSON).status == 200
        server.kill()
        server.restart()
    with server.connect() as connection:
        disk.fail(UNREAD)
        failures = 0
        for offset in range(1, len(expected), 250):
            answer = connection.consume("t", NDJSON, offset=offset, limit=250)
            if answer.status == 200:
                page = messages_of_lines(answer.body)
                assert [each.payload for each in page] == expected[offset - 1:offset - 1 + len(page)]
                assert int(answer.headers["next-offset"]) == offset + len(page)
                failures += not page
            else:
                problem(answer, 503, "unavailable")
                failures += 1
        assert failures > 0
        disk.recover()
    assert payloads(server, "t") == expected


def test_a_server_that_can_not_start_on_a_full_disk_says_so_or_serves_reads(
    make_server: MakeServer, disk: Disk
) -> None:
    server = make_server(environment=disk.environment).start()
    with server.connect() as connection:
        connection.produce("t", b'{"payload":1}')
    server.kill()
    disk.fail(FULL)
    process = server.launch()
    assert process.stdout
    line = process.stdout.readline()
    if line:
        server.port = int(line.rsplit(b":", 1)[1])
        assert payloads(server, "t") == [b"1"]
        server.kill()
    else:
        assert server.wait() == 1
        assert str(server.data) in server.log().splitlines()[-1]
    disk.recover()
    server.restart()
    assert payloads(server, "t") == [b"1"]


class SmallFileSystem:
    """A file system of memory that is soon full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, megabytes: int, *, remount: bool = True) -> None:
        """Mounts it, or makes it larger."""
        options = f"size={megabytes}m" + (",remount" if remount else "")
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", self.folder], check=True, timeout=10,
            stderr=subprocess.DEVNULL)


@pytest.fixture
def small_file_system(tmp_path: Path) -> Iterator[SmallFileSystem]:
    """A file system of 8 MiB; only root can mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    file_system = SmallFileSystem(folder)
    try:
        file_system.resize(8, remount=False)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("No file system can be mounted here; the tests with the simulated full disk have run.")
    yield file_system
    subprocess.run(["umount", "-l", folder], check=True, timeout=10)


def test_a_file_system_that_fills_up_loses_nothing(
    make_server: MakeServer, small_file_system: SmallFileSystem
) -> None:
    server = make_server(small_file_system.folder).start()
    acknowledged: list[bytes] = []

    def fill(connection) -> None:
        for number in range(len(acknowledged), len(acknowledged) + 1000):
            payload = b'"%d %s"' % (number, b"x" * 50_000)
            answer = connection.produce("t", b'{"payload":%s}' % payload)
            if answer.status != 200:
                problem(answer, 503, "unavailable")
                return
            acknowledged.append(payload)
        raise AssertionError("it never filled up")

    with server.connect() as connection:
        fill(connection)
        assert len(acknowledged) > 20
        for _ in range(5):
            assert payloads(server, "t") == acknowledged
            problem(connection.produce("t", b'{"payload":"%s"}' % (b"x" * 100_000)), 503, "unavailable")
        small_file_system.resize(32)
        assert connection.produce("t", b'{"payload":%s}' % acknowledged[0]).status == 200
        acknowledged.append(acknowledged[0])
        fill(connection)
        assert payloads(server, "t") == acknowledged
    # A crash on a full disk, and space again.
    server.kill()
    small_file_system.resize(64)
    server.restart()
    assert payloads(server, "t") == acknowledged
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":"after"}').status == 200
    assert payloads(server, "t") == [*acknowledged, b'"after"']
    assert server.stop() == 0
