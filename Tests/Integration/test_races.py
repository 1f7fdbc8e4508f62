"""What only shows when things happen at the same time, with enough data for checkpoints and trims to take a while."""

from __future__ import annotations

import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable

import pytest

from conditions import wait_until
from http_client import head
from messages import messages_of_page
from server import Server

MakeServer = Callable[..., Server]


class Crowd:
    """Threads that work until they are told to stop; the first failure of any is the crowd's."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []

    def add(self, work: Callable[[], None]) -> None:
        """Starts a thread that repeats the work."""

        def run() -> None:
            try:
                while not self.stopping.is_set():
                    work()
            except BaseException as failure:  # noqa: BLE001 - reported by finish()
                self._failures.append(failure)
                self.stopping.set()

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def finish(self, seconds: float) -> None:
        """Lets them work for so long, or until one fails; raises the first failure."""
        self.stopping.wait(seconds)
        self.stopping.set()
        for thread in self._threads:
            thread.join(timeout=30)
            assert not thread.is_alive(), "a thread of the crowd hangs"
        if self._failures:
            raise self._failures[0]


def test_a_reader_is_never_ahead_of_the_end_that_the_next_request_sees(server: Server) -> None:
    # Large messages, so that the write-ahead log is merged into the file again and again.
    crowd = Crowd()
    body = b'{"payload":"%s"}' % (b"x" * 20_000)
    read_counts: list[int] = []

    def producer(topic: str) -> Callable[[], None]:
        connection = server.connect()

        def produce() -> None:
            assert connection.produce(topic, body).status == 200

        return produce

    def follower(topic: str) -> Callable[[], None]:
        connection = server.connect()
        position = 1

        def follow() -> None:
            nonlocal position
            answer = connection.consume(topic, offset=position, limit=1000)
            assert answer.status == 200, answer.body
            page, position, end = messages_of_page(answer.body)
            assert position <= end
            read_counts.append(len(page))
            time.sleep(0.005)

        return follow

    for topic in ["a", "b"]:
        for _ in range(3):
            crowd.add(producer(topic))
        crowd.add(follower(topic))
    crowd.finish(seconds=8)
    assert sum(read_counts) > 1_000


@pytest.mark.bounded(90)
def test_readers_at_the_earliest_message_go_on_while_it_is_trimmed(make_server: MakeServer) -> None:
    server = make_server(arguments=["--retention", "4s"]).start()
    crowd = Crowd()
    lines = b"\n".join(b'"%s"' % (b"x" * 2_000) for _ in range(100))
    slowest = 0.0

    def producer() -> Callable[[], None]:
        connection = server.connect()

        def produce() -> None:
            assert connection.produce("t", lines, "application/x-ndjson").status == 200

        return produce

    def reader() -> Callable[[], None]:
        connection = server.connect()

        def read() -> None:
            nonlocal slowest
            start = time.monotonic()
            answer = connection.consume("t", offset="earliest", limit=50)
            slowest = max(slowest, time.monotonic() - start)
            assert answer.status == 200, answer.body

        return read

    for _ in range(2):
        crowd.add(producer())
    for _ in range(4):
        crowd.add(reader())
    crowd.finish(seconds=16)
    with server.connect() as connection:
        assert connection.get("/topics/t").json()["earliest_offset"] > 1, "nothing was trimmed meanwhile"
    # A trimmed gap that was taken for a hole would have been filled.
    assert server.metric("streams_fillers_written_total") == 0
    assert slowest < 4


def test_a_client_that_does_not_read_its_stream_does_not_hold_the_stop_up(server: Server) -> None:
    lines = b"\n".join(b'"%s"' % (b"x" * 10_000) for _ in range(200))
    with server.connect() as connection:
        for _ in range(10):
            assert connection.produce("t", lines, "application/x-ndjson").status == 200
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", server.port))
    client.sendall(head("/topics/t/consume", "Accept: text/event-stream", method="GET"))
    assert client.recv(100)
    server.signal(signal.SIGTERM)
    start = time.monotonic()
    assert server.wait(timeout=25) == 0
    assert time.monotonic() - start < 10
    client.close()


def test_requests_sent_ahead_are_held_back_by_their_size(server: Server) -> None:
    def resident_megabytes() -> float:
        with open(f"/proc/{server.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))

    before = resident_megabytes()
    body = b'{"payload":"%s"}' % (b"x" * 900_000)
    request = head("/topics/t/produce", "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    clients = []
    for _ in range(8):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(head("/topics/none/consume?wait=20", method="GET"))
        client.setblocking(False)
        clients.append(client)
    sent = [0] * len(clients)
    deadline = time.monotonic() + 4
    # What the server does not take stays in the sockets' buffers, and then with the client.
    while time.monotonic() < deadline:
        for index, client in enumerate(clients):
            try:
                sent[index] += client.send(request[sent[index] % len(request):])
            except BlockingIOError:
                time.sleep(0.001)
    assert min(sent) > 1_000_000
    assert resident_megabytes() - before < 8 * 6
    server.check_alive()
    for client in clients:
        client.close()
    # Nothing is read while the first request waits, so its end comes first.
    wait_until(lambda: server.socket_count() < 8, "the sockets are closed", timeout=30)


def test_free_pages_that_can_not_be_given_back_keep_nobody_busy(make_server: MakeServer) -> None:
    server = make_server().start()
    lines = b"\n".join(b'"%s"' % (b"x" * 2_000) for _ in range(500))
    with server.connect() as connection:
        for _ in range(4):
            assert connection.produce("t", lines, "application/x-ndjson").status == 200
    assert server.stop() == 0
    # Somebody has rebuilt the file without incremental vacuum.
    database = sqlite3.connect(server.data, isolation_level=None)
    database.execute("PRAGMA auto_vacuum = 0")
    database.execute("VACUUM")
    database.execute("DELETE FROM segment")
    assert database.execute("PRAGMA freelist_count").fetchone()[0] > 600
    database.close()
    server.restart()
    before = server.metric("streams_store_commits_total")
    time.sleep(1)
    assert server.metric("streams_store_commits_total") - before < 10
