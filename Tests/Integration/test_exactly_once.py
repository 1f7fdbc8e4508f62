"""Requests that come again, conditions and fencing tokens, seen from outside: on a file, and on S3 and DynamoDB."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import pytest

from aws_store import AWSStore
from command_line import run
from conditions import wait_until
from emulators import Emulator
from fronts import Front
from http_client import NDJSON, Answer, Connection
from messages import problem, read_all
from server import Server
from traffic import read_everything

MakeServer = Callable[..., Server]
ATTEMPTS = 32
WRITERS = 16
BATCH = b"\n".join(b'{"item":%d}' % number for number in range(3))


def produce(connection: Connection, topic: str, body: bytes, **fields: str) -> Answer:
    """Appends lines, with header fields whose names have underscores for dashes."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return connection.request("POST", f"/topics/{topic}/produce", body, {"Content-Type": NDJSON} | headers)


def repeat_until_answered(ports: Callable[[], list[int]], topic: str, key: str, number: int) -> str:
    """Sends one request with a key again and again, to whichever server is there, until it succeeds."""
    deadline = time.monotonic() + 60
    attempt = number
    while time.monotonic() < deadline:
        alive = ports()
        try:
            with Connection(alive[attempt % len(alive)]) as connection:
                answer = produce(connection, topic, BATCH, Idempotency_Key=key)
                if answer.status == 200:
                    return answer.body.decode()
                assert answer.code in ("unavailable", "outcome_unknown"), answer
        except OSError:
            pass
        attempt += 1
        time.sleep(0.05)
    raise AssertionError("no attempt succeeded within a minute")


def attempt_side_by_side(
    ports: Callable[[], list[int]], topic: str, key: str, meanwhile: Callable[[], None]
) -> set[str]:
    """All answers to concurrent attempts with one key, while something happens to the servers."""
    with ThreadPoolExecutor(ATTEMPTS) as pool:
        answers = [pool.submit(repeat_until_answered, ports, topic, key, number) for number in range(ATTEMPTS)]
        meanwhile()
        return {each.result() for each in answers}


@pytest.mark.bounded(180)
def test_concurrent_attempts_with_one_key_on_a_file_are_one_batch_though_the_server_is_killed(
    make_server: MakeServer, dice: random.Random
) -> None:
    server = make_server().start()
    for number in range(10):
        topic = f"t{number}"

        def die() -> None:
            time.sleep(dice.uniform(0, 0.04))
            server.kill()
            server.start()

        answers = attempt_side_by_side(lambda: [server.port], topic, "order-1", die)
        assert len(answers) == 1, answers
        # Past the holes that killed attempts have left below what others had stored already.
        read_everything(server, topic)
        with server.connect() as connection:
            stored = [each.payload for each in read_all(connection, topic)]
            assert stored == BATCH.split(b"\n")
            again = produce(connection, topic, BATCH, Idempotency_Key="order-1")
            assert ({again.body.decode()}, again.headers.get("idempotency-replayed")) == (answers, "true")
            problem(produce(connection, topic, b"1", Idempotency_Key="order-1"), 422, "idempotency_key_reused")


@pytest.fixture(params=["ministack", "moto"])
def any_store(request: pytest.FixtureRequest, ministack: Emulator, tmp_path: Path) -> AWSStore:
    """An empty store on each of the stand-ins."""
    if request.param == "ministack":
        yield AWSStore.create(ministack)
        return
    emulator = Emulator("moto", log=tmp_path / "moto.log")
    yield AWSStore.create(emulator)
    emulator.close()


@pytest.mark.bounded(240)
def test_concurrent_attempts_with_one_key_on_two_servers_are_one_batch_though_one_is_killed(
    make_server: MakeServer, any_store: AWSStore, dice: random.Random
) -> None:
    servers = [make_server(store=any_store, name=f"server-{number}").start() for number in range(2)]
    for number in range(4):
        topic = f"t{number}"

        def die() -> None:
            time.sleep(dice.uniform(0, 0.4))
            servers[0].kill()
            servers[0].start()

        answers = attempt_side_by_side(lambda: [each.port for each in servers], topic, "order-1", die)
        assert len(answers) == 1, answers
        for server in servers:
            # Past the holes that killed attempts have left.
            read_everything(server, topic)
            with server.connect() as connection:
                assert [each.payload for each in read_all(connection, topic)] == BATCH.split(b"\n")
                assert produce(connection, topic, BATCH, Idempotency_Key="order-1").body.decode() in answers
    # What is remembered is an item with a time to live, and no topic.
    assert any_store.topics_in_index() == [f"t{number}" for number in range(4)]
    items = any_store.dynamodb.scan(TableName=any_store.table)["Items"]
    records = [each for each in items if each["pk"]["S"].startswith("produce#")]
    assert len(records) == 4
    for record in records:
        assert 23 * 3600 < int(record["expires_at"]["N"]) - time.time() < 25 * 3600


# Compare and append


def add_one(front: Front, topic: str, additions: int) -> None:
    """Adds one, so many times, to the number that the last message of a topic holds."""
    position, value = 1, 0
    with front.connect() as connection:
        while additions:
            answer = connection.consume(topic, offset=position, limit=10_000, wait=0.5)
            assert answer.status == 200, answer
            page = answer.json()
            position = page["next_offset"]
            for message in page["messages"]:
                value = message["payload"]
            answer = produce(connection, topic, b"%d" % (value + 1), Expected_Offset=str(position))
            if answer.status == 200:
                additions -= 1
            else:
                assert (answer.status, answer.code) == (412, "offset_mismatch"), answer
                assert answer.json()["end_offset"] != position


def count_with_many_writers(fronts: list[Front], topic: str, additions: int) -> None:
    """A counter kept in a topic by writers that know nothing of each other ends exactly right."""
    with ThreadPoolExecutor(WRITERS) as pool:
        jobs = [
            pool.submit(add_one, fronts[number % len(fronts)], topic, additions) for number in range(WRITERS)]
        for job in jobs:
            job.result()
    for front in fronts:
        with front.connect() as connection:
            values = [json.loads(each.payload) for each in read_all(connection, topic)]
        assert values == list(range(1, WRITERS * additions + 1))


@pytest.mark.bounded(120)
def test_a_counter_of_sixteen_writers_that_compare_and_append_is_right_on_a_file(server: Server) -> None:
    count_with_many_writers([server], "counter", additions=25)


@pytest.mark.bounded(240)
def test_a_counter_of_sixteen_writers_that_compare_and_append_is_right_on_two_servers(
    make_server: MakeServer, store: AWSStore
) -> None:
    count_with_many_writers(
        [make_server(store=store, name=f"server-{number}").start() for number in range(2)], "counter", additions=5)


# Fencing


def test_a_new_owner_has_seen_all_that_the_old_one_wrote(make_server: MakeServer) -> None:
    server = make_server().start()
    with server.connect() as connection:
        connection.produce("t", b'{"payload":"first"}')
        assert connection.request("PUT", "/topics/t/fence", b'{"token":"a"}').json()["fenced"] is True
        written: list[int] = []
        is_over = threading.Event()

        def write() -> None:
            with server.connect() as owner:
                while True:
                    answer = produce(owner, "t", b'"a"', Fencing_Token="a")
                    if answer.status != 200:
                        assert answer.code == "fenced", answer
                        is_over.set()
                        return
                    written.append(answer.json()["offset"])

        owners = [threading.Thread(target=write) for _ in range(4)]
        for owner in owners:
            owner.start()
        wait_until(lambda: len(written) >= 50, "the owner has written")
        end = connection.request("PUT", "/topics/t/fence", b'{"token":"b"}').json()["end_offset"]
        for owner in owners:
            owner.join()
        assert is_over.is_set() and max(written) < end
        assert produce(connection, "t", b'"b"', Fencing_Token="b").json()["offset"] >= end
        assert len(read_all(connection, "t")) == len(written) + 2
    # The token outlives the process.
    server.kill()
    server.start()
    with server.connect() as connection:
        problem(connection.produce("t", b'{"payload":1}'), 412, "fenced")
        assert produce(connection, "t", b'"b"', Fencing_Token="b").status == 200


# The command line


def test_the_command_line_repeats_without_doubling_and_appends_on_conditions(server: Server, topic: str) -> None:
    lines = b"".join(b'{"id":%d}\n' % number for number in range(12_000))
    for _ in range(2):
        outcome = run("produce", topic, "--idempotency-key", "load-1", url=server.url, stdin=lines)
        assert outcome.status == 0, outcome.errors
        assert "offsets 1 to 12000" in outcome.errors
    with server.connect() as connection:
        assert connection.get(f"/topics/{topic}").json()["end_offset"] == 12_001
    assert run("produce", topic, "--expected-offset", "12001", "1", url=server.url).status == 0
    refused = run("produce", topic, "--expected-offset", "12001", "2", url=server.url)
    assert (refused.status, "12002" in refused.errors) == (1, True)
    fenced = run("fence", topic, "--token", "a", url=server.url)
    assert (fenced.status, fenced.output) == (0, b"%s\t12002\n" % topic.encode())
    refused = run("produce", topic, "3", url=server.url)
    assert (refused.status, "fenced" in refused.errors) == (1, True)
    assert run("produce", topic, "--fencing-token", "a", "3", url=server.url).status == 0
    assert run("fence", topic, "--clear", "--current", "b", url=server.url).status == 1
    assert run("fence", topic, "--clear", "--current", "a", url=server.url).status == 0
    assert run("produce", topic, "4", url=server.url).status == 0


def test_a_key_may_be_used_anew_when_it_has_expired(make_server: MakeServer, topic: str) -> None:
    server = make_server(arguments=["--idempotency-expiry", "1s"]).start()
    with server.connect() as connection:
        assert produce(connection, topic, b"1", Idempotency_Key="k").json()["offset"] == 1
        wait_until(
            lambda: produce(connection, topic, b"2", Idempotency_Key="k").status == 200, "the key is forgotten",
            pause=0.05)
        assert [each.payload for each in read_all(connection, topic)] == [b"1", b"2"]
