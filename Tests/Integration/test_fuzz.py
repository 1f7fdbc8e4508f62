"""Random and mutated requests never kill the server.

FUZZ_SECONDS=n fuzzes for n seconds, SEED=n repeats what each of its threads sends.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time

import pytest

from http_client import head
from messages import read_all
from server import Server

FUZZ_SECONDS = float(os.environ.get("FUZZ_SECONDS") or 5)


def mutated(dice: random.Random, request: bytes) -> bytes:
    """The request with some bytes changed, taken out, doubled or put in."""
    data = bytearray(request)
    for _ in range(dice.choice([1, 1, 2, 5, 20])):
        if not data:
            break
        position = dice.randrange(len(data))
        kind = dice.randrange(6)
        if kind == 0:
            data[position] = dice.randrange(256)
        elif kind == 1:
            del data[position:position + dice.randrange(1, 10)]
        elif kind == 2:
            data[position:position] = dice.randbytes(dice.randrange(1, 10))
        elif kind == 3:
            data[position:position] = data[position:position + dice.randrange(1, 50)]
        elif kind == 4:
            data[position:position] = dice.choice([b"\r\n", b"\r\n\r\n", b"%00", b"\x00", b"&", b"?", b"%", b"-1"])
        else:
            del data[position:]
    return bytes(data)


def requests(dice: random.Random) -> bytes:
    """A request that is right, or nearly."""
    body = dice.choice([
        b'{"payload":{"a":[1,2.5e3,"\\u00e9"]},"key":"k","headers":{"a":"b"}}',
        b'{"messages":[{"payload":1},{"payload":null,"key":"x"}]}', b'1\n{"a":2}\n"three"\n'])
    media_type = dice.choice(["application/json", "application/x-ndjson", "text/plain"])
    number = dice.choice(["0", "1", "-1", "9223372036854775807", "9223372036854775808", "1e3", "0.5", "", "%31", "x"])
    name = dice.choice(["offset", "limit", "wait", "max_bytes", "since", "on_trimmed", "prefix", "cursor", "x"])
    length = f"Content-Length: {len(body)}"
    return dice.choice([
        head("/topics/fuzz/produce", f"Content-Type: {media_type}", length) + body,
        head("/topics/fuzz/produce", f"Content-Type: {media_type}", "Transfer-Encoding: chunked")
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        head(f"/topics/fuzz/consume?{name}={number}", method="GET"),
        head(f"/topics/fuzz/consume?{name}={number}&limit={number}", "Accept: application/x-ndjson", method="GET"),
        head("/topics/fuzz/consume?offset=latest", "Accept: text/event-stream", f"Last-Event-ID: {number}", method="GET"),
        head(f"/topics?{name}={number}", method="GET"),
        head("/topics/fuzz", method=dice.choice(["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])),
        head("/v1/metrics", method="GET"),
    ])


@pytest.mark.bounded(int(60 + FUZZ_SECONDS))
def test_random_and_mutated_requests_never_kill_the_server(server: Server, dice: random.Random) -> None:
    deadline = time.monotonic() + FUZZ_SECONDS
    seeds = [dice.randrange(2**32) for _ in range(8)]
    sent = [0] * len(seeds)
    internal: list[bytes] = []

    def fuzz(number: int) -> None:
        own = random.Random(seeds[number])
        while time.monotonic() < deadline and server.is_running:
            request = own.randbytes(own.randrange(2000)) if own.random() < 0.05 else mutated(own, requests(own))
            sent[number] += 1
            try:
                with server.connect(timeout=3) as connection:
                    connection.send(request)
                    connection.socket.shutdown(socket.SHUT_WR)
                    if b"HTTP/1.1 500" in connection.read_to_end():
                        internal.append(request)
            except (ConnectionError, TimeoutError):
                pass

    threads = [threading.Thread(target=fuzz, args=(number,)) for number in range(len(seeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(sent)} requests in {FUZZ_SECONDS:.0f} s")
    server.check_alive()
    assert internal == []
    with server.connect() as connection:
        # What got through is JSON, all of it; where the last word was a delete, nothing is there.
        info = connection.get("/topics/fuzz")
        if info.status == 200:
            read_all(connection, "fuzz", info.json()["earliest_offset"])
    assert server.stop() == 0
