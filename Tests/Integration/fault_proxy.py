"""A proxy in front of S3 and DynamoDB that counts requests, delays them, and lets go wrong what a plan says.

In tests: `with FaultProxy(endpoint) as proxy`, in a thread. As a process of its own, which ends with its input:

    .venv/bin/python Tests/Integration/fault_proxy.py ENDPOINT --delay-milliseconds 20
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Coroutine, Iterator

from aws_requests import AWSAnswer, AWSRequest, failure, read_answer, read_request
from faults import Fault, FaultPlan, Gate, Matches

BODY_BYTES_MAX = 64 * 1024 * 1024
# Up to longer than readers wait before they close a hole.
LATE_SECONDS = (0.05, 7.0)
SLOW_PARTS, SLOW_PAUSE_SECONDS = 8, 0.1
_BEFORE = {Fault.LOST, Fault.HANGS, Fault.INTERNAL_ERROR, Fault.SLOW_DOWN, Fault.CONFLICT, Fault.THROTTLED}


@dataclass(frozen=True)
class Passed:
    """A request that came by."""

    kind: str
    key: str
    fault: str
    status: str


class _Cut(Exception):
    """The client's connection is to be cut now."""


class FaultProxy:
    """A proxy on a free port of 127.0.0.1, run by a thread of its own."""

    def __init__(self, upstream: str, delay_seconds: float = 0) -> None:
        host, port = upstream.removeprefix("http://").rstrip("/").split(":")
        self._upstream = (host, int(port))
        self.delay_seconds = delay_seconds
        self.plan = FaultPlan()
        self.passed: deque[Passed] = deque(maxlen=20_000)
        self.port = 0
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._gates: list[Gate] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        if not self._ready.wait(10):
            raise AssertionError("The proxy did not start.")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cuts all connections and ends; what is held at a gate is dropped."""
        self.calm()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    @property
    def endpoint(self) -> str:
        """Where clients find it."""
        return f"http://127.0.0.1:{self.port}"

    # What tests tell it

    def inject(self, kind: str, fault: Fault, matches: Matches | None = None, times: int = 1) -> None:
        """Lets a fault happen to the next requests of a kind, such as `s3.PutObject`."""
        self.plan.order(kind, fault, matches, times)

    def inject_at_random(self, probabilities: dict[str, dict[Fault, float]], seed: int) -> None:
        """Lets faults happen with these probabilities, by kind or service, until `calm`."""
        self.plan.at_random(probabilities, seed)

    def hold(self, kind: str, matches: Matches | None = None) -> Gate:
        """Holds the next requests of a kind back, before they take effect, until the gate is told what to do."""
        gate = Gate()
        self._gates.append(gate)
        self.plan.order(kind, gate, matches)
        return gate

    def calm(self) -> None:
        """Lets nothing go wrong from now on, and drops what is held."""
        self.plan.clear()
        for gate in self._gates:
            gate.drop()
        self._gates.clear()

    def cut_connections(self) -> int:
        """Cuts the connections that clients have now; returns how many there were."""
        async def cut() -> int:
            for connection in self._connections:
                connection.transport.abort()
            return len(self._connections)

        return asyncio.run_coroutine_threadsafe(cut(), self._loop).result(10)

    # What tests ask it

    def counts(self) -> Counter[str]:
        """How many requests of each kind have come, whatever became of them."""
        with self._lock:
            return self._counts.copy()

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Counts the requests within; the counter is filled at the end."""
        before = self.counts()
        within: Counter[str] = Counter()
        yield within
        within.update(self.counts() - before)

    # Its thread

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, limit=BODY_BYTES_MAX, backlog=512))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = _Upstream(self._upstream)
        self._connections.add(writer)
        try:
            while request := await read_request(reader, writer):
                await self._handle(request, reader, writer, upstream)
        except (_Cut, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # cancelled means that the proxy ends; nobody waits for this task
        finally:
            upstream.close()
            self._connections.discard(writer)
            # Cut, not closed with ceremony: what was not read yet makes this a reset.
            writer.transport.abort()

    async def _handle(
        self, request: AWSRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: _Upstream
    ) -> None:
        with self._lock:
            self._counts[request.kind] += 1
        what = self.plan.decide(request)
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if isinstance(what, Gate):
            await self._hold(what, request)
            what = None
        if what in _BEFORE:
            self._note(request, what, "")
            answer = await _refusal(request, what, reader)
        elif what is Fault.LATE:
            self._note(request, what, "")
            self._spawn(self._deliver_later(request))
            raise _Cut
        else:
            answer = await upstream.ask(request)
            self._note(request, what, answer.status)
            if what is Fault.REPEATED:
                self._spawn(self._deliver_later(request))
        await _send(answer, what, request, reader, writer)

    def _note(self, request: AWSRequest, what: Fault | None, status: str) -> None:
        self.passed.append(Passed(request.kind, request.key, what.value if what else "", status))

    async def _hold(self, gate: Gate, request: AWSRequest) -> None:
        decided = asyncio.Event()
        gate.hold(request, lambda: self._loop.call_soon_threadsafe(decided.set))
        await decided.wait()
        if not gate.forwards:
            raise _Cut

    async def _deliver_later(self, request: AWSRequest) -> None:
        await asyncio.sleep(self.plan.dice.uniform(*LATE_SECONDS))
        upstream = _Upstream(self._upstream)
        try:
            answer = await upstream.ask(request)
            self.passed.append(Passed(request.kind, request.key, "delivered late", answer.status))
        except ConnectionError:
            pass
        finally:
            upstream.close()


class _Upstream:
    """A connection to the real thing, opened when it is needed."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: AWSRequest) -> AWSAnswer:
        """Sends a request on and reads its answer."""
        if not self._streams:
            self._streams = await asyncio.open_connection(*self._address, limit=BODY_BYTES_MAX)
        reader, writer = self._streams
        writer.write(request.wire())
        await writer.drain()
        answer = await read_answer(reader, has_body=request.method != "HEAD")
        if answer.closes:
            self.close()
        return answer

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._streams:
            self._streams[1].close()
            self._streams = None


async def _refusal(request: AWSRequest, fault: Fault, reader: asyncio.StreamReader) -> AWSAnswer:
    """The answer to a request that does not take effect."""
    if fault is Fault.LOST:
        raise _Cut
    if fault is Fault.HANGS:
        await reader.read()
        raise _Cut
    if fault is Fault.SLOW_DOWN:
        return failure(request, "503 Slow Down", "SlowDown", "Please reduce your request rate.")
    if fault is Fault.CONFLICT:
        return failure(
            request, "409 Conflict", "ConditionalRequestConflict",
            "The conditional request cannot succeed due to a conflicting operation against this resource.")
    if fault is Fault.THROTTLED:
        return failure(
            request, "400 Bad Request", "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.")
    return _internal_error(request)


def _internal_error(request: AWSRequest) -> AWSAnswer:
    code = "InternalError" if request.is_s3 else "InternalServerError"
    return failure(request, "500 Internal Server Error", code, "We encountered an internal error. Please try again.")


async def _send(
    answer: AWSAnswer, what: Fault | None, request: AWSRequest, reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter
) -> None:
    """Sends an answer back as the fault has it."""
    if what is Fault.ANSWER_LOST:
        raise _Cut
    if what is Fault.HANGS_AFTER:
        await reader.read()
        raise _Cut
    if what is Fault.INTERNAL_ERROR_AFTER:
        answer = _internal_error(request)
    head, body = answer.wire(has_body=request.method != "HEAD")
    if request.method == "HEAD":
        body = b""
    if what is Fault.ANSWER_CUT:
        # Without a body within the first line: some clients, boto3's among them, take half a head for a whole one.
        writer.write(head + body[:len(body) // 2] if body else head[:5])
        await writer.drain()
        # An abort would throw away what was not sent yet, and the client would see nothing of the answer.
        writer.close()
        await writer.wait_closed()
        raise _Cut
    if what is Fault.ANSWER_SLOW:
        whole = head + body
        step = len(whole) // SLOW_PARTS + 1
        for start in range(0, len(whole), step):
            writer.write(whole[start:start + step])
            await writer.drain()
            await asyncio.sleep(SLOW_PAUSE_SECONDS)
        return
    writer.write(head + body)
    await writer.drain()


def main(arguments: list[str]) -> None:
    """Serves until standard input ends."""
    parser = argparse.ArgumentParser(description="A delaying proxy that ends when its standard input does.")
    parser.add_argument("upstream", help="the endpoint to send requests on to, such as http://127.0.0.1:4566")
    parser.add_argument("--delay-milliseconds", type=float, default=0)
    options = parser.parse_args(arguments)
    with FaultProxy(options.upstream, options.delay_milliseconds / 1000) as proxy:
        print(json.dumps({"endpoint": proxy.endpoint}), flush=True)
        while os.read(0, 4096):
            pass


if __name__ == "__main__":
    main(sys.argv[1:])
