"""Clients that misbehave cost the server nothing but their socket."""

from __future__ import annotations

import socket
import time

import pytest

from conditions import wait_until
from http_client import Connection, EventStream, head
from messages import messages_of_page, problem, read_all
from server import Server

BODY_LIMIT = 5 * 1024 * 1024


# Too much

@pytest.mark.parametrize("length", [BODY_LIMIT + 1, 10**12, 2**63 - 1])
def test_a_body_announced_too_large_is_refused_before_it_comes(shared_server: Server, topic: str, length: int) -> None:
    with shared_server.connect(timeout=5) as connection:
        connection.send(head(f"/topics/{topic}/produce", f"Content-Length: {length}") + b'{"payload":"')
        answer = connection.read_answer()
        assert problem(answer, 413, "too_large")["limit"] == "request_body"
        assert answer.headers["connection"] == "close"
        assert connection.read_to_end() == b""
    assert shared_server.end_offset(topic) == 1


@pytest.mark.parametrize("length", ["99999999999999999999999", "-1", "1x", "", "5, 6", "+5", "0x5"])
def test_a_length_that_is_none_is_refused(shared_server: Server, topic: str, length: str) -> None:
    with shared_server.connect(timeout=5) as connection:
        connection.send(head(f"/topics/{topic}/produce", f"Content-Length: {length}") + b'{"payload":1}')
        assert connection.read_answer().status in (400, 413)
    assert shared_server.end_offset(topic) == 1


def test_a_chunked_body_is_refused_when_it_grows_too_large(shared_server: Server, topic: str) -> None:
    with shared_server.connect(timeout=10) as connection:
        connection.send(head(f"/topics/{topic}/produce", "Transfer-Encoding: chunked"))
        chunk = b"%x\r\n%s\r\n" % (65536, b" " * 65536)
        for _ in range(BODY_LIMIT // 65536 + 1):
            connection.send(chunk)
        # No end was sent, and none is waited for.
        assert problem(connection.read_answer(), 413, "too_large")["limit"] == "request_body"
    assert shared_server.end_offset(topic) == 1


def test_a_client_that_sends_on_after_a_refusal_is_cut_off(shared_server: Server, topic: str) -> None:
    with shared_server.connect(timeout=10) as connection:
        connection.send(head(f"/topics/{topic}/produce", f"Content-Length: {10**12}"))
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - started < 10:
                connection.send(b"x" * 65536)
        assert time.monotonic() - started < 5
    shared_server.check_alive()


def test_the_largest_body_is_taken(shared_server: Server, topic: str) -> None:
    line = b'"%s"\n' % (b"x" * (1024 * 1024 - 3))
    body = line * 5
    assert len(body) == BODY_LIMIT
    with shared_server.connect() as connection:
        assert connection.produce(topic, body, "application/x-ndjson").json()["count"] == 5


@pytest.mark.parametrize("size", [100_000, 10_000_000])
@pytest.mark.parametrize("place", ["path", "query", "header", "header name", "many headers"])
def test_an_endless_header_is_refused(shared_server: Server, place: str, size: int) -> None:
    long = "a" * size
    request = {
        "path": head("/topics/" + long, method="GET"),
        "query": head("/topics?prefix=" + long, method="GET"),
        "header": head("/topics", f"X-Long: {long}", method="GET"),
        "header name": head("/topics", f"{long}: 1", method="GET"),
        "many headers": head("/topics", *(f"X-{number}: 1" for number in range(size // 10)), method="GET"),
    }[place]
    with shared_server.connect(timeout=10) as connection:
        try:
            connection.send(request)
            answer = connection.read_answer()
        except ConnectionError:
            # Cut off while it was still sending.
            answer = None
    if answer:
        # What fits into the bound on headers is an ordinary request.
        assert 400 <= answer.status < 500 or (size == 100_000 and answer.status == 200), answer
    shared_server.check_alive()


# Manners of HTTP

def test_a_client_that_expects_100_is_told_to_continue(shared_server: Server, topic: str) -> None:
    body = b'{"payload":"after the 100"}'
    with shared_server.connect(timeout=5) as connection:
        for offset in (1, 2):
            connection.send(
                head(f"/topics/{topic}/produce", f"Content-Length: {len(body)}", "Expect: 100-continue"))
            assert connection.read_answer().status == 100
            connection.send(body)
            answer = connection.read_answer()
            assert (answer.status, answer.json()["offset"]) == (200, offset)


def test_a_client_that_expects_100_for_too_much_is_refused_instead(shared_server: Server, topic: str) -> None:
    with shared_server.connect(timeout=5) as connection:
        connection.send(
            head(f"/topics/{topic}/produce", f"Content-Length: {BODY_LIMIT + 1}", "Expect: 100-continue"))
        problem(connection.read_answer(), 413, "too_large")


def test_pipelined_requests_are_answered_in_order(shared_server: Server, topic: str) -> None:
    bodies = [b'{"payload":%d}' % number for number in range(50)]
    with shared_server.connect() as connection:
        request = b"".join(
            head(f"/topics/{topic}/produce", f"Content-Length: {len(body)}") + body for body in bodies)
        connection.send(request + head(f"/topics/{topic}/consume?limit=100", method="GET"))
        assert [connection.read_answer().json()["offset"] for _ in bodies] == list(range(1, 51))
        page, _, _ = messages_of_page(connection.read_answer().body)
        assert [each.payload for each in page] == [b"%d" % number for number in range(50)]


def test_an_error_between_pipelined_requests_does_not_disturb_them(shared_server: Server, topic: str) -> None:
    with shared_server.connect() as connection:
        for body in (b'{"payload":1}', b"{", b'{"payload":2}'):
            connection.send_request("POST", f"/topics/{topic}/produce", body)
        assert [connection.read_answer().status for _ in range(3)] == [200, 400, 200]


def test_http_1_0_is_answered_and_closed(shared_server: Server, topic: str) -> None:
    with shared_server.connect(timeout=5) as connection:
        body = b'{"payload":1}'
        connection.send(head(f"/topics/{topic}/produce", f"Content-Length: {len(body)}", version="1.0") + body)
        answer = connection.read_answer()
        assert (answer.version, answer.status) == ("HTTP/1.0", 200)
        assert connection.read_to_end() == b""


def test_http_1_0_with_keep_alive_is_kept(shared_server: Server) -> None:
    with shared_server.connect(timeout=5) as connection:
        for _ in range(3):
            connection.send(head("/health", "Connection: keep-alive", method="GET", version="1.0"))
            answer = connection.read_answer()
            assert (answer.status, answer.headers["connection"].lower()) == (200, "keep-alive")


def test_an_event_stream_over_http_1_0_is_not_chunked(shared_server: Server, topic: str) -> None:
    with shared_server.connect(timeout=5) as connection:
        connection.produce(topic, b'{"payload":"old clients too"}')
    with shared_server.connect(timeout=5) as connection:
        connection.send(
            head(f"/topics/{topic}/consume", "Accept: text/event-stream", method="GET", version="1.0"))
        _, status, headers = connection.read_head()
        assert status == 200 and "transfer-encoding" not in headers
        received = b""
        while b"old clients too" not in received:
            received += connection.read_some()
        assert b"\r\n" not in received


def test_connection_close_is_honoured(shared_server: Server) -> None:
    with shared_server.connect(timeout=5) as connection:
        answer = connection.request("GET", "/health", headers={"Connection": "close"})
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert connection.read_to_end() == b""


@pytest.mark.parametrize("wait", ["", "&wait=0.5"], ids=["read", "long-poll"])
def test_a_reader_that_closes_its_side_at_once_still_gets_its_answer(
    shared_server: Server, topic: str, wait: str
) -> None:
    with shared_server.connect() as connection:
        connection.produce(topic, b'{"payload":"there"}')
    for target in (f"/topics/{topic}/consume?offset=1{wait}", "/topics", f"/topics/{topic}", "/health"):
        for _ in range(20):
            with shared_server.connect(timeout=5) as connection:
                connection.send(head(target, method="GET"))
                connection.socket.shutdown(socket.SHUT_WR)
                answer = connection.read_answer()
                assert answer.status == 200, (target, answer)
                assert connection.read_to_end() == b""


def test_a_producer_that_closes_its_side_at_once_still_gets_its_answer(shared_server: Server, topic: str) -> None:
    body = b'{"payload":1}'
    for offset in range(1, 21):
        # A new topic too: the read of its row is under way when the side is closed.
        for name in (topic, f"{topic}-{offset}"):
            with shared_server.connect(timeout=5) as connection:
                connection.send(head(f"/topics/{name}/produce", f"Content-Length: {len(body)}") + body)
                connection.socket.shutdown(socket.SHUT_WR)
                answer = connection.read_answer()
                assert answer.status == 200, answer
                assert answer.json()["offset"] == (offset if name == topic else 1)


def test_a_client_that_stops_within_a_request_is_forgotten(shared_server: Server, topic: str) -> None:
    before = shared_server.socket_count()
    for part in (b"", b"POST ", head(f"/topics/{topic}/produce", "Content-Length: 20") + b'{"payload"'):
        for half_close in (False, True):
            with shared_server.connect(timeout=5) as connection:
                connection.send(part)
                if half_close:
                    connection.socket.shutdown(socket.SHUT_WR)
                    connection.read_to_end()
    wait_until(lambda: shared_server.socket_count() <= before, "all of its sockets are closed")
    assert shared_server.end_offset(topic) == 1


GARBAGE = {
    "nothing": b"\r\n\r\n\r\n",
    "text": b"hello there\r\n\r\n",
    "binary": bytes(range(256)) * 10,
    "zeros": b"\x00" * 1000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 300,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 30,
    "HTTP/9.9": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "absolute target": b"GET http://127.0.0.1/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "authority target": b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "unknown method": b"BREW /topics HTTP/1.1\r\nHost: x\r\n\r\n",
    "lower case method": b"get /topics HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank in target": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in target": b"GET /topics/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "broken escapes": b"GET /topics/%zz%f HTTP/1.1\r\nHost: x\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "bare line feeds": b"GET /health HTTP/1.1\nHost: x\n\n",
    "upgrade": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "two lengths": b"POST /topics/t/produce HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
    "length and chunks":
        b"POST /topics/t/produce HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk": b"POST /topics/t/produce HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "huge chunk": b"POST /topics/t/produce HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    "unknown coding": b"POST /topics/t/produce HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_gets_an_error_or_the_end_and_nothing_else_happens(shared_server: Server, name: str) -> None:
    with shared_server.connect(timeout=5) as connection:
        connection.send(GARBAGE[name])
        connection.socket.shutdown(socket.SHUT_WR)
        received = connection.read_to_end()
    assert b" 500 " not in received.split(b"\r\n")[0]
    shared_server.check_alive()


# Many and slow

def test_three_hundred_idle_connections_are_in_nobody_s_way(server: Server, topic: str) -> None:
    idle = [server.connect() for _ in range(300)]
    try:
        for connection in idle[::3]:
            connection.send(b"POST /topics/x/produce HTTP/1.1\r\nContent-")
        server.check_alive()
        with server.connect(timeout=5) as connection:
            for offset in range(1, 101):
                assert connection.produce(topic, b'{"payload":1}').json()["offset"] == offset
        # The rest are as good as new.
        for connection in idle[1::3]:
            assert connection.get("/health").status == 200
    finally:
        for connection in idle:
            connection.close()
    wait_until(lambda: server.socket_count() < 20, "the sockets are closed")


@pytest.mark.parametrize("kind", ["long-poll", "events"])
@pytest.mark.parametrize("by_reset", [False, True], ids=["closed", "reset"])
def test_a_reader_that_goes_away_while_it_waits_is_freed(
    server: Server, topic: str, kind: str, by_reset: bool
) -> None:
    before = server.socket_count()
    readers: list[Connection] = []
    for _ in range(50):
        if kind == "events":
            readers.append(EventStream(server.port, topic).connection)
        else:
            readers.append(server.connect())
            readers[-1].send(head(f"/topics/{topic}/consume?wait=20", method="GET"))
    wait_until(lambda: server.socket_count() >= before + 50, "all of them are connected")
    server.check_alive()
    for reader in readers:
        if by_reset:
            reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        reader.close()
    wait_until(lambda: server.socket_count() <= before, "their sockets are closed")
    with server.connect() as connection:
        assert connection.produce(topic, b'{"payload":1}').status == 200


def test_a_reader_that_does_not_read_holds_up_nobody(server: Server, topic: str) -> None:
    with server.connect() as writer:
        line = b'"%s"' % (b"x" * 100_000)
        for _ in range(5):
            assert writer.produce(topic, b"\n".join([line] * 40), "application/x-ndjson").status == 200
        with EventStream(server.port, topic) as stuck, server.connect() as also_stuck:
            also_stuck.send(head(f"/topics/{topic}/consume?limit=1000", method="GET") * 5)
            for _ in range(20):
                assert writer.produce(topic, b'{"payload":1}').status == 200
            assert len(read_all(writer, topic, start=201)) == 20
            # And it gets all of it when it reads at last.
            assert len(stuck.take(220)) == 220
