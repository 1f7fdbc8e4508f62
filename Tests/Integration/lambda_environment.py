"""An execution environment of Lambda: one process of the function, and the Runtime API that it asks for events."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from http_server import Headers, first, read_body, read_head, serve, write_answer

VERSION = "/2018-06-01/runtime"
RESPONSE_BYTES_MAXIMUM = 6_291_556


@dataclass(eq=False)
class Invocation:
    """One event on its way through a process."""

    event: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    #: ("response" | "stream" | "error", header fields, body); for a stream, the chunks follow.
    outcome: asyncio.Future[tuple[str, Headers, bytes]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future())
    #: Bytes, and at the end the trailers.
    chunks: asyncio.Queue[bytes | dict[str, str]] = field(default_factory=asyncio.Queue)

    def finish(self, kind: str, headers: Headers, body: bytes) -> None:
        """Says what became of it; only the first word counts."""
        if not self.outcome.done():
            self.outcome.set_result((kind, headers, body))

    def fail(self, error_type: str, message: str) -> None:
        """Ends it as the environment does where the process can not."""
        document = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
        if self.outcome.done():
            self.chunks.put_nowait({"lambda-runtime-function-error-type": error_type})
        self.finish("error", [("Lambda-Runtime-Function-Error-Type", error_type)], document)


class Environment:
    """Keeps one process of a function running and gives it events, one at a time."""

    def __init__(
        self, command: list[str], variables: dict[str, str], queue: asyncio.Queue[Invocation], timeout: float,
        freezes: bool, log_path: Path,
    ) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self.exit_statuses: list[int] = []
        self.init_errors: list[dict[str, Any]] = []
        self.invocation_count = 0
        #: When the process was started, and when it asked for its first event.
        self.started = self.first_next = 0.0
        self._command = command
        self._variables = variables
        self._queue = queue
        self._timeout = timeout
        self._freezes = freezes
        self._log_path = log_path
        self._current: Invocation | None = None
        self._waiting: Invocation | None = None
        self._has_asked = False
        self._is_closing = False
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._life: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    # Life

    async def start(self) -> None:
        """Listens, and starts the process."""
        self._server, port = await serve(self._serve)
        self._variables["AWS_LAMBDA_RUNTIME_API"] = f"127.0.0.1:{port}"
        await self._spawn()
        self._life = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """Ends the process by SIGTERM, and by SIGKILL where that does not do it."""
        self._is_closing = True
        process = self.process
        if process and self.is_running:
            self.send_signal(signal.SIGCONT)
            self.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 10)
            except asyncio.TimeoutError:
                self.send_signal(signal.SIGKILL)
        if self._life:
            try:
                await asyncio.wait_for(self._life, 5)
            except asyncio.TimeoutError:
                pass
        if self._current:
            self._current.fail("Runtime.Shutdown", "the function was taken away")
        for connection in list(self._connections):
            connection.close()
        if self._server:
            self._server.close()

    @property
    def is_running(self) -> bool:
        """Whether there is a process that has not ended."""
        return self.process is not None and self.process.returncode is None

    def send_signal(self, number: int) -> None:
        """Sends the process a signal, where there is one."""
        if self.process and self.is_running:
            try:
                self.process.send_signal(number)
            except ProcessLookupError:
                pass

    async def _spawn(self) -> None:
        self._has_asked = False
        self.first_next = 0.0
        self.started = time.monotonic()
        with self._log_path.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._command, env=self._variables, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log)

    async def _keep_running(self) -> None:
        """Starts the process again when it has ended, but not before there is an event for it."""
        while True:
            assert self.process
            status = await self.process.wait()
            self.exit_statuses.append(status)
            self._process_ended(status)
            if self._is_closing:
                return
            self._waiting = await self._take()
            if self._waiting is None:
                return
            await self._spawn()

    def _process_ended(self, status: int) -> None:
        invocation = self._current
        if invocation is None and not self._has_asked:
            invocation, self._waiting = self._waiting, None
        self._forget(self._current)
        if invocation:
            invocation.fail("Runtime.ExitError", f"the process ended with status {status}")

    async def _take(self) -> Invocation | None:
        """The next event; `None` where the environment closes first."""
        while not self._is_closing:
            try:
                return await asyncio.wait_for(self._queue.get(), 0.2)
            except asyncio.TimeoutError:
                continue
        return None

    # Runtime API

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while head := await read_head(reader):
                method, target, headers = head
                await self._answer(method, target, headers, reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(
        self, method: str, target: str, headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        path = target.removeprefix(VERSION)
        if (method, path) == ("GET", "/invocation/next"):
            return await self._give(reader, writer)
        if (method, path) == ("POST", "/init/error"):
            body, _ = await read_body(reader, headers)
            self.init_errors.append(json.loads(body))
            if self._waiting:
                self._waiting.fail("Runtime.InitError", body.decode())
            return write_answer(writer, 202, body=b'{"status":"OK"}')
        identifier, _, kind = path.removeprefix("/invocation/").partition("/")
        invocation = self._current
        if method != "POST" or invocation is None or invocation.id != identifier:
            await read_body(reader, headers)
            return write_answer(writer, 400, body=b'{"errorType":"InvalidRequestID"}')
        await self._take_answer(invocation, kind, headers, reader, writer)

    async def _give(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Waits for an event and answers with it; puts it back where the process is gone by then."""
        if not self._has_asked:
            self._has_asked, self.first_next = True, time.monotonic()
        invocation, self._waiting = self._waiting, None
        if invocation is None:
            # One that asks while it is being ended must live to see the signal.
            if self._freezes and not self._is_closing and self._queue.empty():
                self.send_signal(signal.SIGSTOP)
            invocation = await self._take_while_connected(reader)
        if self._freezes:
            self.send_signal(signal.SIGCONT)
        if invocation is None:
            raise ConnectionError
        self._current = invocation
        self.invocation_count += 1
        deadline = int((time.time() + self._timeout) * 1000)
        self._timer = asyncio.get_running_loop().call_later(self._timeout, self._time_out, invocation)
        write_answer(
            writer, 200,
            [
                ("Content-Type", "application/json"), ("Lambda-Runtime-Aws-Request-Id", invocation.id),
                ("Lambda-Runtime-Deadline-Ms", str(deadline)),
                ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:streams"),
                ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0"),
            ], invocation.event)

    async def _take_while_connected(self, reader: asyncio.StreamReader) -> Invocation | None:
        taking = asyncio.ensure_future(self._queue.get())
        hanging_up = asyncio.ensure_future(reader.read(1))
        await asyncio.wait({taking, hanging_up}, return_when=asyncio.FIRST_COMPLETED)
        if taking.done() and not hanging_up.done():
            hanging_up.cancel()
            # The reader takes no other request before the cancelled one has let go of it.
            await asyncio.gather(hanging_up, return_exceptions=True)
            return taking.result()
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        if not taking.cancelled() and taking.exception() is None:
            self._queue.put_nowait(taking.result())
        return None

    async def _take_answer(
        self, invocation: Invocation, kind: str, headers: Headers, reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if kind == "response" and first(headers, "lambda-runtime-function-response-mode") == "streaming":
            invocation.finish("stream", headers, b"")
            _, trailers = await read_body(reader, headers, invocation.chunks.put_nowait)
            self._forget(invocation)
            invocation.chunks.put_nowait(trailers)
        else:
            body, _ = await read_body(reader, headers)
            self._forget(invocation)
            if kind == "response" and len(body) > RESPONSE_BYTES_MAXIMUM:
                invocation.fail("Function.ResponseSizeTooLarge", f"{len(body)} bytes")
                return write_answer(writer, 413, body=b'{"errorType":"RequestEntityTooLarge"}')
            invocation.finish(kind, headers, body)
        write_answer(writer, 202, body=b'{"status":"OK"}')

    def _time_out(self, invocation: Invocation) -> None:
        invocation.fail("Sandbox.Timedout", f"Task timed out after {self._timeout:.2f} seconds")
        self.send_signal(signal.SIGKILL)

    def _forget(self, invocation: Invocation | None) -> None:
        if invocation is not None and self._current is invocation:
            self._current = None
        if self._timer:
            self._timer.cancel()
            self._timer = None


def lambda_variables(extra: dict[str, str], timeout: float) -> dict[str, str]:
    """The environment variables of a function, as Lambda sets them, with those of its configuration."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "LANG")}
    return kept | {
        "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "streams", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout), "_HANDLER": "bootstrap",
        "LAMBDA_TASK_ROOT": "/var/task", "TZ": ":UTC", "SWIFT_BACKTRACE": "enable=no",
    } | extra


