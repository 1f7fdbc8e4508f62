"""Topics are trimmed, deleted, bounded and branched: what was acknowledged stands, whatever dies afterwards."""

from __future__ import annotations

import json
import random
from typing import Any, Callable

import pytest

from aws_store import AWSStore
from command_line import run
from conditions import wait_until
from fault_proxy import FaultProxy
from fronts import Front
from http_client import NDJSON, Answer, Connection
from messages import read_all
from server import Server

MakeFront = Callable[..., Front]


def send(connection: Connection, method: str, path: str, **body: Any) -> Answer:
    """Sends a request with a JSON body, where it has members."""
    return connection.request(method, path, json.dumps(body).encode() if body else None)


def produce_numbers(connection: Connection, topic: str, numbers: range) -> None:
    """Appends numbers, all in one batch."""
    answer = connection.produce(topic, b"\n".join(b"%d" % number for number in numbers), NDJSON)
    assert answer.status == 200, answer.body


def numbers(connection: Connection, topic: str, start: int = 1) -> dict[int, int]:
    """The messages from an offset on, by their offsets."""
    return {each.offset: each.value for each in read_all(connection, topic, start=start)}


def earliest(connection: Connection, topic: str) -> int:
    """The topic's earliest offset."""
    return connection.get(f"/topics/{topic}").json()["earliest_offset"]


def test_a_trim_a_delete_and_a_branch_stand_after_the_server_was_killed(
    make_server: Callable[..., Server], dice: random.Random
) -> None:
    server = make_server()
    expected: dict[str, dict[int, int]] = {}
    lows: dict[str, int] = {}
    ends: dict[str, int] = {}
    names = [f"t{number}" for number in range(4)]
    for turn in range(12):
        server.start()
        with server.connect() as connection:
            for topic, messages in expected.items():
                if topic not in lows:
                    assert connection.get(f"/topics/{topic}").code == "topic_not_found"
                    continue
                assert earliest(connection, topic) == lows[topic]
                assert numbers(connection, topic, lows[topic]) == messages
                if lows[topic] > 1:
                    answer = connection.consume(topic, offset=lows[topic] - 1)
                    assert (answer.status, answer.json()["earliest_offset"]) == (410, lows[topic])
            for _ in range(6):
                topic = dice.choice(names)
                choice = dice.choice(["produce", "produce", "trim", "delete", "branch"])
                if choice == "produce":
                    answer = connection.produce(topic, b'{"payload":%d}' % turn)
                    offset = answer.json()["offset"]
                    assert offset == ends.get(topic, 1)
                    ends[topic] = offset + 1
                    if topic not in lows:
                        expected[topic], lows[topic] = {}, offset
                    expected[topic][offset] = turn
                elif topic not in lows:
                    continue
                elif choice == "trim":
                    before = dice.randint(1, ends[topic])
                    answer = send(connection, "POST", f"/topics/{topic}/trim", before=before)
                    lows[topic] = max(lows[topic], before)
                    assert answer.json() == {"earliest_offset": lows[topic]}
                    expected[topic] = {at: each for at, each in expected[topic].items() if at >= before}
                elif choice == "delete":
                    assert send(connection, "DELETE", f"/topics/{topic}").status == 204
                    del lows[topic]
                    expected[topic] = {}
                else:
                    # A branch of its own, which nobody trims: its parent may take its prefix from it.
                    name = f"b{turn}-{len(names)}-{dice.randrange(10**6)}"
                    fork = dice.randint(lows[topic], ends[topic])
                    answer = send(connection, "POST", f"/topics/{topic}/branches", topic=name, offset=fork)
                    assert answer.status == 201, answer.body
                    prefix = {at: each for at, each in expected[topic].items() if at < fork}
                    assert numbers(connection, name, min(lows[topic], fork)) == prefix
        server.kill()


def test_a_branch_is_its_own_after_a_kill_and_after_its_parent_is_gone(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    with server.connect() as connection:
        produce_numbers(connection, "orders", range(1, 6))
        assert send(connection, "POST", "/topics/orders/branches", topic="fork", offset=3).status == 201
    server.kill()
    server.start()
    with server.connect() as connection:
        assert connection.produce("fork", b'{"payload":30}').json()["offset"] == 3
        assert numbers(connection, "fork") == {1: 1, 2: 2, 3: 30}
        assert numbers(connection, "orders") == {number: number for number in range(1, 6)}
        send(connection, "POST", "/topics/orders/trim", before=2)
        assert earliest(connection, "fork") == 2
        assert send(connection, "DELETE", "/topics/orders").status == 204
    server.kill()
    server.start()
    with server.connect() as connection:
        assert earliest(connection, "fork") == 3
        assert connection.consume("fork", offset=2).code == "offset_trimmed"
        assert numbers(connection, "fork", 3) == {3: 30}


def test_the_file_gives_back_what_is_trimmed_and_deleted(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    payload = json.dumps("x" * 200_000).encode()
    with server.connect() as connection:
        for topic in ("kept", "trimmed", "deleted"):
            for _ in range(60):
                assert connection.produce(topic, payload, NDJSON).status == 200
    assert server.stop() == 0
    full = server.data.stat().st_size
    assert full > 30_000_000
    server.start()
    with server.connect() as connection:
        assert send(connection, "POST", "/topics/trimmed/trim", before=50).json() == {"earliest_offset": 50}
        assert send(connection, "DELETE", "/topics/deleted").status == 204
    server.kill()
    # What was begun is finished by the next process.
    server.start()
    wait_until(lambda: server.data.stat().st_size < full / 2, "the file to shrink", 30)
    with server.connect() as connection:
        assert len(numbers(connection, "kept")) == 60
        assert len(numbers(connection, "trimmed", 50)) == 11


def test_a_topic_is_trimmed_by_its_own_settings(make_server: Callable[..., Server]) -> None:
    server = make_server(arguments=["--retention", "60s"]).start()
    with server.connect() as connection:
        for topic in ("aged", "small"):
            for number in range(1, 9):
                produce_numbers(connection, topic, range(number, number + 1))
        assert send(connection, "PUT", "/topics/aged", retention_ms=1).json()["retention_ms"] == 1
        sizes = len(b'{"offset":1,"payload":1,"timestamp":1702000000000}\n')
        assert send(connection, "PUT", "/topics/small", retention_bytes=3 * sizes).status == 200
        wait_until(lambda: earliest(connection, "aged") == 9, "the aged to go", 30)
        wait_until(lambda: earliest(connection, "small") == 6, "the oldest bytes to go", 30)
        assert connection.consume("small", offset=5).code == "offset_trimmed"
        assert send(connection, "PUT", "/topics/aged", retention_ms=None).status == 200
    server.kill()
    server.start()
    with server.connect() as connection:
        assert "retention_ms" not in connection.get("/topics/aged").json()
        assert connection.get("/topics/small").json()["retention_bytes"] == 3 * sizes


def test_the_command_line_changes_topics(server: Server) -> None:
    with server.connect() as connection:
        produce_numbers(connection, "orders", range(1, 6))
    assert run("branch", "orders", "fork", "--offset", "4", url=server.url).output == b"fork\t1\t4\n"
    assert run("branch", "orders", "late", url=server.url).output == b"late\t1\t6\n"
    assert run("trim", "orders", "--before", "3", url=server.url).output == b"orders\t3\n"
    assert run("retain", "orders", "--age", "7d", "--bytes", "5000", url=server.url).output == (
        b"orders\tkeeps 7d and 5000 bytes\n")
    assert run("topics", "--long", url=server.url).output == (
        b"fork\t3\t4\tbranch of orders at 4\n"
        b"late\t3\t6\tbranch of orders at 6\n"
        b"orders\t3\t6\tkeeps 7d and 5000 bytes\n")
    outcome = run("retain", "orders", "--age", "forever", "--bytes", "forever", url=server.url)
    assert outcome.output == b"orders\tkeeps what the store keeps\n"
    assert run("delete", "orders", url=server.url).status == 0
    outcome = run("delete", "orders", url=server.url)
    assert outcome.status == 1 and "topic_not_found" in outcome.errors
    for arguments in (["--age", "7"], ["--age", "0d"], ["--bytes", "0"], ["--bytes", "1k"], []):
        assert run("retain", "orders", *arguments, url=server.url).status == 64, arguments
    assert run("topics", url=server.url).output == b"fork\nlate\n"


# On AWS


def test_topics_on_aws_are_changed_for_all_fronts_at_once(make_front: MakeFront, store: AWSStore) -> None:
    with make_front(store).connect() as one, make_front(store).connect() as other:
        produce_numbers(one, "orders", range(1, 6))
        assert send(other, "POST", "/topics/orders/branches", topic="fork", offset=3).status == 201
        assert one.produce("fork", b'{"payload":30}').json()["offset"] == 3
        assert numbers(other, "fork") == {1: 1, 2: 2, 3: 30}
        assert send(one, "POST", "/topics/orders/trim", before=2).json() == {"earliest_offset": 2}
        assert send(one, "POST", "/topics/orders/trim", before=1).json() == {"earliest_offset": 2}
        assert earliest(other, "orders") == 2 and earliest(other, "fork") == 2
        assert other.consume("fork", offset=1).code == "offset_trimmed"
        assert send(one, "PUT", "/topics/orders", retention_ms=5, retention_bytes=6).status == 200
        document = send(other, "PUT", "/topics/orders", retention_ms=None).json()
        assert "retention_ms" not in document and document["retention_bytes"] == 6
        assert send(other, "DELETE", "/topics/orders").status == 204
        assert send(one, "DELETE", "/topics/orders").code == "topic_not_found"
        assert one.get("/topics").json()["topics"] == [{"topic": "fork"}]
        assert earliest(one, "fork") == 3
        assert one.produce("orders", b'{"payload":6}').json()["offset"] == 6
        assert numbers(other, "orders", 6) == {6: 6}
        assert "retention_bytes" not in other.get("/topics/orders").json()
        assert one.consume("orders", offset=5).code == "offset_trimmed"
        assert send(one, "POST", "/topics/fork/branches", topic="orders").code == "topic_exists"


def test_changes_on_aws_stand_after_the_server_was_killed(
    make_server: Callable[..., Server], store: AWSStore
) -> None:
    server = make_server(store=store).start()
    with server.connect() as connection:
        produce_numbers(connection, "orders", range(1, 6))
        assert send(connection, "POST", "/topics/orders/branches", topic="fork").status == 201
        assert send(connection, "POST", "/topics/orders/trim", before=4).json() == {"earliest_offset": 4}
    server.kill()
    server.start()
    with server.connect() as connection:
        assert numbers(connection, "fork", 4) == {4: 4, 5: 5}
        assert send(connection, "DELETE", "/topics/orders").status == 204
    server.kill()
    server.start()
    with server.connect() as connection:
        assert connection.get("/topics/orders").code == "topic_not_found"
        assert earliest(connection, "fork") == 6
        assert connection.produce("orders", b'{"payload":6}').json()["offset"] == 6


@pytest.mark.parametrize(
    "change, expected",
    [
        ("trim", {"dynamodb.GetItem": 1, "dynamodb.UpdateItem": 1}),
        ("delete", {"dynamodb.GetItem": 1, "dynamodb.Query": 1, "dynamodb.UpdateItem": 1, "s3.ListObjectsV2": 1}),
        ("settings", {"dynamodb.GetItem": 3, "dynamodb.UpdateItem": 1}),
        ("branch", {"dynamodb.GetItem": 2, "dynamodb.PutItem": 1, "s3.ListObjectsV2": 1}),
        ("own", {"dynamodb.GetItem": 1, "s3.GetObject": 1}),
        ("below", {"dynamodb.GetItem": 2, "s3.GetObject": 1, "s3.ListObjectsV2": 1}),
    ],
)
def test_what_a_change_or_a_read_of_a_branch_costs_on_aws(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy, change: str, expected: dict[str, int]
) -> None:
    with make_server(store=store).start().connect() as connection:
        produce_numbers(connection, "orders", range(1, 6))
        if change in ("own", "below"):
            send(connection, "POST", "/topics/orders/branches", topic="fork")
            connection.produce("fork", b'{"payload":6}')
    # A process of its own, which remembers nothing.
    with make_server(store=store, name="other").start().connect() as connection:
        with proxy.counting() as counts:
            match change:
                case "trim": send(connection, "POST", "/topics/orders/trim", before=4)
                case "delete": send(connection, "DELETE", "/topics/orders")
                case "settings": send(connection, "PUT", "/topics/orders", retention_ms=5)
                case "branch": send(connection, "POST", "/topics/orders/branches", topic="fork")
                case "own": assert connection.consume("fork", offset=6).status == 200
                case "below": assert connection.consume("fork", offset=2, limit=2).status == 200
        assert {name: count for name, count in counts.items() if count} == expected
