"""Real records in many scripts go in by a pipe and come back byte for byte, by every way and after a crash."""

from __future__ import annotations

from typing import Callable

import pytest

import command_line
import real_input
from http_client import NDJSON, Connection, EventStream
from messages import message, messages_of_lines, messages_of_page
from server import Server

Reading = Callable[[Server, str, int], list[bytes]]


def by_pages(limit: int | None) -> Reading:
    def read(server: Server, topic: str, count: int) -> list[bytes]:
        payloads: list[bytes] = []
        offset = 1
        with server.connect() as connection:
            while offset <= count:
                parameters = {"offset": offset} | ({"limit": limit} if limit else {})
                page, offset, end = messages_of_page(connection.consume(topic, **parameters).body)
                assert end == count + 1
                assert len(page) == min(limit or 10, count - len(payloads))
                assert [each.offset for each in page] == list(range(len(payloads) + 1, offset))
                payloads += [each.payload for each in page]
        return payloads

    return read


def by_lines(limit: int) -> Reading:
    def read(server: Server, topic: str, count: int) -> list[bytes]:
        payloads: list[bytes] = []
        with server.connect() as connection:
            while len(payloads) < count:
                answer = connection.consume(topic, NDJSON, offset=len(payloads) + 1, limit=limit)
                payloads += [each.payload for each in messages_of_lines(answer.body)]
                assert int(answer.headers["next-offset"]) == len(payloads) + 1
        return payloads

    return read


def by_bytes(server: Server, topic: str, count: int) -> list[bytes]:
    """Pages whose size in bytes is what ends them."""
    payloads: list[bytes] = []
    offset = 1
    with Connection(server.port) as connection:
        while offset <= count:
            page, offset, _ = messages_of_page(
                connection.consume(topic, offset=offset, limit=10_000, max_bytes=20_000).body)
            assert sum(len(each.payload) for each in page) <= 20_000
            payloads += [each.payload for each in page]
    return payloads


def by_events(server: Server, topic: str, count: int) -> list[bytes]:
    with EventStream(server.port, topic) as stream:
        events = stream.take(count)
    assert [event.id for event in events] == list(range(1, count + 1))
    return [message(event.data).payload for event in events]


def by_command(server: Server, topic: str, count: int) -> list[bytes]:
    outcome = command_line.run("consume", topic, url=server.url)
    assert (outcome.status, outcome.errors) == (0, "")
    return outcome.lines


def by_command_messages(server: Server, topic: str, count: int) -> list[bytes]:
    outcome = command_line.run("consume", topic, "--messages", url=server.url)
    return [message(line).payload for line in outcome.lines]


READINGS: dict[str, Reading] = {
    "pages of 10": by_pages(None),
    "pages of 1000": by_pages(1000),
    "pages of 10000": by_pages(10_000),
    "pages of 997": by_pages(997),
    "pages by bytes": by_bytes,
    "lines of 100": by_lines(100),
    "lines of 10000": by_lines(10_000),
    "events": by_events,
    "command": by_command,
    "command with whole messages": by_command_messages,
}
ONE_OF_EACH = ["pages of 997", "lines of 10000", "events", "command"]


@pytest.mark.bounded(120)
def test_real_records_come_back_byte_for_byte_before_and_after_a_crash(make_server: Callable[..., Server]) -> None:
    server = make_server().start()
    topics = {f"iso-{number}": real_input.lines(name) for number, name in enumerate(real_input.SPELLINGS)}
    count = len(real_input.iso_3166_2())
    assert count > 4000
    for topic, sent in topics.items():
        outcome = command_line.produce(topic, sent, server.url)
        assert outcome.status == 0, outcome
        assert outcome.errors == f"produced {count} messages to {topic}: offsets 1 to {count}\n"
    check_readings(server, topics)
    server.kill()
    server.restart()
    check_readings(server, topics)
    server.stop()
    server.restart()
    check_readings(server, {"iso-0": topics["iso-0"]})


def check_readings(server: Server, topics: dict[str, list[bytes]]) -> None:
    for number, (topic, sent) in enumerate(topics.items()):
        # All ways for the first spelling; one of each kind for the others.
        ways = READINGS if number == 0 else {way: READINGS[way] for way in ONE_OF_EACH}
        for way, read in ways.items():
            assert read(server, topic, len(sent)) == sent, (topic, way)


def test_real_records_one_by_one_read_the_same(server: Server) -> None:
    sent = real_input.lines("as they are")[:500]
    with server.connect() as connection:
        for number, payload in enumerate(sent):
            answer = connection.produce("single", b'{"payload":' + payload + b',"key":"%d"}' % number)
            assert answer.json() == {"topic": "single", "offset": number + 1}
    check_readings(server, {"single": sent})
