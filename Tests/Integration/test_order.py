"""Many producers, many followers: one order for all, and commits that are shared."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from http_client import EventStream
from messages import Message, message, messages_of_page, read_all
from server import Server

PRODUCERS = 64
MESSAGES_EACH = 40
LONG_POLLERS = 4
EVENT_READERS = 4


def produce(server: Server, topic: str, producer: int, start: threading.Barrier) -> list[int]:
    """Sends the producer's messages one after the other; returns their offsets."""
    offsets: list[int] = []
    with server.connect() as connection:
        start.wait(30)
        for number in range(MESSAGES_EACH):
            body = json.dumps({"payload": {"producer": producer, "number": number}}).encode()
            answer = connection.produce(topic, body)
            assert answer.status == 200, answer
            offsets.append(answer.json()["offset"])
    return offsets


def follow_by_long_poll(server: Server, topic: str, limit: int, count: int, start: threading.Barrier) -> list[Message]:
    """Reads with `wait` until `count` messages are there."""
    found: list[Message] = []
    next_offset = 1
    with server.connect(timeout=40) as connection:
        start.wait(30)
        while len(found) < count:
            answer = connection.consume(topic, offset=next_offset, limit=limit, wait=20)
            assert answer.status == 200, answer
            page, next_offset, end_offset = messages_of_page(answer.body)
            assert next_offset <= end_offset
            found += page
    return found


def follow_by_events(server: Server, topic: str, count: int, start: threading.Barrier) -> list[Message]:
    """Reads server-sent events until `count` are there; half way it connects anew, as a browser would."""
    with EventStream(server.port, topic) as stream:
        start.wait(30)
        events = stream.take(count // 2)
    with EventStream(server.port, topic, last_event_id=events[-1].id) as stream:
        events += stream.take(count - len(events))
    found = [message(event.data) for event in events]
    assert [event.id for event in events] == [each.offset for each in found]
    return found


@pytest.mark.bounded(90)
def test_followers_see_one_order_and_producers_share_commits(server: Server, topic: str) -> None:
    count = PRODUCERS * MESSAGES_EACH
    start = threading.Barrier(PRODUCERS + LONG_POLLERS + EVENT_READERS)
    with ThreadPoolExecutor(start.parties) as pool:
        followers: list[Future[list[Message]]] = [
            pool.submit(follow_by_long_poll, server, topic, limit, count, start) for limit in (1, 10, 100, 1000)]
        followers += [pool.submit(follow_by_events, server, topic, count, start) for _ in range(EVENT_READERS)]
        producers = [pool.submit(produce, server, topic, producer, start) for producer in range(PRODUCERS)]
        offsets = [producer.result(80) for producer in producers]
        seen = [follower.result(80) for follower in followers]

    with server.connect() as connection:
        log = read_all(connection, topic)
    assert len(log) == count
    for messages in seen:
        assert messages == log

    # Each producer's own messages stand in the order in which it sent them, where its answers said.
    places: dict[int, list[int]] = defaultdict(list)
    numbers: dict[int, list[int]] = defaultdict(list)
    for each in log:
        places[each.value["producer"]].append(each.offset)
        numbers[each.value["producer"]].append(each.value["number"])
    for producer in range(PRODUCERS):
        assert numbers[producer] == list(range(MESSAGES_EACH))
        assert places[producer] == offsets[producer]

    requests = server.metric("streams_append_requests_total")
    commits = server.metric("streams_store_commits_total")
    print(f"{requests:.0f} requests in {commits:.0f} commits")
    assert requests == count
    assert commits < requests / 3


def test_a_lone_producer_gets_a_commit_for_each_request(server: Server, topic: str) -> None:
    with server.connect() as connection:
        connection.produce(topic, b'{"payload":0}')
        before = server.metric("streams_store_commits_total")
        for number in range(20):
            assert connection.produce(topic, b'{"payload":1}').status == 200
    # An answer before its commit would let one commit serve several of them.
    assert server.metric("streams_store_commits_total") - before >= 20


def test_commits_are_shared_between_topics(server: Server) -> None:
    each = 10
    start = threading.Barrier(PRODUCERS)

    def produce_to_own_topic(producer: int) -> None:
        with server.connect() as connection:
            connection.request("PUT", f"/topics/own{producer}")
            start.wait(30)
            for number in range(each):
                assert connection.produce(f"own{producer}", b'{"payload":1}').json()["offset"] == number + 1

    with ThreadPoolExecutor(PRODUCERS) as pool:
        for result in [pool.submit(produce_to_own_topic, producer) for producer in range(PRODUCERS)]:
            result.result(50)
    requests = server.metric("streams_append_requests_total")
    # The creations, 64 at most, are commits too.
    commits = server.metric("streams_store_commits_total")
    print(f"{requests:.0f} requests to {PRODUCERS} topics in {commits:.0f} commits")
    assert requests == PRODUCERS * each
    assert commits < requests / 2 + PRODUCERS


def test_a_long_poll_is_answered_by_the_message_it_waits_for(server: Server, topic: str) -> None:
    with server.connect() as reader, server.connect() as writer:
        reader.send_request("GET", f"/topics/{topic}/consume?wait=20")
        assert writer.produce(topic, b'{"payload":"came"}').status == 200
        page, next_offset, _ = messages_of_page(reader.read_answer().body)
        assert ([each.payload for each in page], next_offset) == ([b'"came"'], 2)
        # Nothing more comes: it is answered empty when its time is up.
        page, next_offset, end_offset = messages_of_page(reader.consume(topic, offset=2, wait=0.2).body)
        assert (page, next_offset, end_offset) == ([], 2, 2)
