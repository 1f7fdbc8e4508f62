"""Clients that are too slow are let go, by the times that the server has: 60 s idle, 30 s for a request.

The clients are there from the beginning of the session, so that their times pass while other tests run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from http_client import Connection, EventStream, head
from messages import problem
from server import Server

IDLE_SECONDS, REQUEST_SECONDS = 60, 30
# Deadlines are looked at a quarter of the shortest of them apart.
GRACE_SECONDS = 10


@dataclass
class SlowClients:
    """Clients of each slow kind, on a server of their own."""

    server: Server
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        timeout = IDLE_SECONDS + GRACE_SECONDS
        self.silent, self.within_head, self.after_answer, self.within_body = (
            self.server.connect(timeout) for _ in range(4))
        self.within_head.send(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Sl")
        assert self.after_answer.get("/health").status == 200
        self.within_body.send(head("/topics/t/produce", "Content-Length: 100") + b'{"payload":')
        self.events = EventStream(self.server.port, "t", "offset=latest")


@pytest.mark.bounded(120)
def test_slow_clients_are_let_go_and_waiting_ones_are_not(slow_clients: SlowClients) -> None:
    clients = slow_clients
    refusal = problem(clients.within_body.read_answer(), 408, "request_timeout")
    assert refusal["status"] == 408
    assert clients.within_body.read_to_end() == b""
    for client in (clients.silent, clients.within_head, clients.after_answer):
        assert until_closed(client, clients.started) >= b""
    # A reader of events is silent too, and stays.
    with clients.server.connect() as connection:
        assert connection.produce("t", b'{"payload":"after a minute"}').status == 200
    assert clients.events.take(1)[0].id == 1
    clients.server.check_alive()


def until_closed(client: Connection, started: float) -> bytes:
    """What came before the server closed the connection, which it did in time."""
    client.socket.settimeout(max(1, started + IDLE_SECONDS + GRACE_SECONDS + 10 - time.monotonic()))
    return client.read_to_end()
