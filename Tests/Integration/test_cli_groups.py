"""Consumer groups from the command line."""

from __future__ import annotations

import json
import os

import command_line
from command_line import run
from conditions import wait_until
from server import Server
from test_cli import Follower


def lease(server: Server, topic: str) -> dict | None:
    """Who holds the group `g`."""
    with server.connect() as connection:
        answer = connection.get(f"/topics/{topic}/groups/g")
    return answer.json().get("lease") if answer.status == 200 else None


def test_a_group_goes_on_where_it_was(server: Server, topic: str) -> None:
    payloads = [b'{"id":%d,"x":1e400}' % number for number in range(5)]
    command_line.produce(topic, payloads, server.url)
    first = run("consume", topic, "--group", "g", "--limit", "2", url=server.url)
    assert (first.status, first.lines, first.errors) == (0, payloads[:2], "")
    assert lease(server, topic) is None
    assert run("consume", topic, "--group", "g", url=server.url).lines == payloads[2:]
    assert run("consume", topic, "--group", "g", url=server.url).lines == []
    whole = run("consume", topic, "--group", "other", "--messages", url=server.url).lines
    assert [json.loads(line)["offset"] for line in whole] == [1, 2, 3, 4, 5]


def test_groups_are_listed_moved_and_deleted(server: Server, topic: str) -> None:
    command_line.produce(topic, [b"1", b"2", b"3"], server.url)
    assert run("groups", topic, url=server.url).lines == []
    assert run("groups", "create", topic, "b", "--start", "latest", url=server.url).status == 0
    assert run("groups", "create", topic, "a", url=server.url).status == 0
    assert run("groups", topic, url=server.url).lines == [b"a", b"b"]
    assert [line.split(b"\t")[:4] for line in run("groups", topic, "--long", url=server.url).lines] == [
        [b"a", b"1", b"4", b"3"], [b"b", b"4", b"4", b"0"]]
    assert run("groups", "seek", topic, "a", "3", url=server.url).status == 0
    assert run("groups", "show", topic, "a", url=server.url).lines[0].split(b"\t")[:4] == [b"a", b"3", b"4", b"1"]
    assert run("consume", topic, "--group", "a", url=server.url).lines == [b"3"]
    assert run("groups", "delete", topic, "a", url=server.url).status == 0
    assert run("groups", topic, url=server.url).lines == [b"b"]
    missing = run("groups", "show", topic, "a", url=server.url)
    assert missing.status == 1 and "group_not_found" in missing.errors
    assert run("groups", "seek", topic, "b", "first", url=server.url).status == 64
    assert run("consume", topic, "--group", "b", "--offset", "1", url=server.url).status == 64


def test_a_follower_takes_over_and_gives_the_lease_up(server: Server, topic: str) -> None:
    command_line.produce(topic, [b"1"], server.url)
    first = Follower(command_line.start("consume", topic, "--group", "g", "--follow", url=server.url))
    assert first.line() == b"1"
    wait_until(lambda: lease(server, topic), "the first has the lease")
    second = Follower(command_line.start("consume", topic, "--group", "g", "--follow", url=server.url))
    assert b"another consumer" in os.read(second.process.stderr.fileno(), 4096)
    command_line.produce(topic, [b"2"], server.url)
    assert first.line() == b"2"
    status, errors = first.stop()
    assert (status, errors) == (0, b"")
    command_line.produce(topic, [b"3"], server.url)
    assert second.line() == b"3"
    status, errors = second.stop()
    assert status == 0
    assert lease(server, topic) is None
