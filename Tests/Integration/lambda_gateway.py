"""API Gateway and function URLs in front of real function processes, with a Runtime API that streams.

As a library:

    with Gateway() as gateway:
        function = gateway.start(["path/to/bootstrap"], {"BUCKET_NAME": "messages"}, event="rest")
        # http://127.0.0.1:{function.port}/v1/health

As a process (`python lambda_gateway.py`), which prints one line `{"port": P}`, and then listens to

    POST /_functions      {"command": [...], "environment": {...}, "concurrency": N, "event": "rest"|"http"|"url",
                           "streaming": bool, "timeout": seconds, "freeze": bool}  →  {"port": P}
    GET /_functions/P     its processes: pids, exit statuses, errors at start, log
    DELETE /_functions/P  ends it by SIGTERM; answers as GET does

It ends, with all that it started, when its standard input closes. A REST API has the stage `v1`: its paths begin with
`/v1`. With `freeze`, processes are stopped while they wait for an event, as Lambda does.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Coroutine, TypeVar

import lambda_events
from http_server import Headers, first, head_bytes, read_body, read_head, serve, write_answer
from lambda_environment import Environment, Invocation, lambda_variables
from lambda_events import PRELUDE_END, STREAM_TYPE, Answer, BadAnswer, Request

JSON_TYPE = ("Content-Type", "application/json")
#: How long the gateways wait for a whole answer (API Gateway's quotas); a function URL waits as long as the function.
GATEWAY_SECONDS = {"rest": 29.0, "http": 30.0, "url": 900.0}
Value = TypeVar("Value")


@dataclass
class FunctionSettings:
    """A function and what stands in front of it."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    concurrency: int = 1
    event: str = "rest"
    streaming: bool = False
    timeout: float = 30
    freeze: bool = False

    def __post_init__(self) -> None:
        if self.event not in GATEWAY_SECONDS:
            raise ValueError(f"event is one of {', '.join(GATEWAY_SECONDS)}")


class FunctionServer:
    """One function: a port for its requests, and the environments that answer them."""

    def __init__(self, settings: FunctionSettings, folder: Path) -> None:
        self.settings = settings
        self.port = 0
        self._log_path = folder / "function.log"
        self._log_path.touch()
        self._queue: asyncio.Queue[Invocation] = asyncio.Queue()
        self.environments = [
            Environment(
                settings.command, lambda_variables(settings.environment, settings.timeout), self._queue,
                settings.timeout, settings.freeze, self._log_path)
            for _ in range(settings.concurrency)
        ]
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens and starts the processes; requests may come before those are ready."""
        self._server, self.port = await serve(self._serve)
        await asyncio.gather(*(environment.start() for environment in self.environments))

    async def stop(self) -> dict[str, Any]:
        """Ends the processes; returns what became of them."""
        await asyncio.gather(*(environment.stop() for environment in self.environments))
        for connection in list(self._connections):
            connection.close()
        if self._server:
            self._server.close()
        return self.report()

    def report(self) -> dict[str, Any]:
        """What there is to see of the processes."""
        return {
            "port": self.port,
            "pids": [item.process.pid for item in self.environments if item.is_running],
            "exit_statuses": [status for item in self.environments for status in item.exit_statuses],
            "init_errors": [error for item in self.environments for error in item.init_errors],
            "invocations": sum(item.invocation_count for item in self.environments),
            "log": self._log_path.read_text(errors="replace"),
        }

    # Requests

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while head := await read_head(reader):
                method, target, headers = head
                if first(headers, "expect").lower() == "100-continue":
                    writer.write(head_bytes(100, []))
                body, _ = await read_body(reader, headers)
                if not await self._answer(Request(method, target, headers, body), writer):
                    return
                await writer.drain()
                if "close" in first(headers, "connection").lower():
                    return
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answers a request; returns whether the connection can take another."""
        event = self._event(request)
        if event is None:
            self._write(writer, request, Answer(403, [JSON_TYPE], b'{"message":"Forbidden"}'))
            return True
        invocation = Invocation(json.dumps(event).encode())
        self._queue.put_nowait(invocation)
        patience = 900.0 if self.settings.streaming else GATEWAY_SECONDS[self.settings.event]
        try:
            kind, headers, body = await asyncio.wait_for(asyncio.shield(invocation.outcome), patience)
        except asyncio.TimeoutError:
            self._write(writer, request, Answer(504, [JSON_TYPE], b'{"message": "Endpoint request timed out"}'))
            return True
        try:
            if kind == "stream":
                return await self._pass_on(request, invocation, headers, writer)
            if kind != "response":
                raise BadAnswer(body.decode(errors="replace"))
            if self.settings.streaming:
                raise BadAnswer("no streamed answer")
            answer = lambda_events.read_answer(body, multi_value=self.settings.event == "rest")
            self._write(writer, request, answer)
        except BadAnswer as error:
            self._refuse(writer, request, error)
        return True

    def _event(self, request: Request) -> dict[str, Any] | None:
        match self.settings.event:
            case "rest": return lambda_events.rest_event(request)
            case "http": return lambda_events.http_event(request)
            case _: return lambda_events.url_event(request)

    def _refuse(self, writer: asyncio.StreamWriter, request: Request, error: Exception) -> None:
        """A function that failed, or whose answer is none, is the gateway's own error to the client."""
        with self._log_path.open("a") as log:
            print(f"gateway: {request.method} {request.target}: {error}", file=log)
        answer = Answer(502, [JSON_TYPE], b'{"message": "Internal server error"}')
        if self.settings.event == "http":
            answer = Answer(500, [JSON_TYPE], b'{"message":"Internal Server Error"}')
        self._write(writer, request, answer)

    def _write(self, writer: asyncio.StreamWriter, request: Request, answer: Answer) -> None:
        write_answer(writer, answer.status, answer.headers, answer.body, with_body=request.method != "HEAD")

    # Streams

    async def _pass_on(
        self, request: Request, invocation: Invocation, headers: Headers, writer: asyncio.StreamWriter
    ) -> bool:
        """Passes a streamed answer on, chunk by chunk."""
        if not self.settings.streaming:
            raise BadAnswer("a streamed answer, which this integration does not take")
        if first(headers, "content-type") != STREAM_TYPE:
            raise BadAnswer(f"a stream of type {first(headers, 'content-type')}")
        start = b""
        while PRELUDE_END not in start:
            chunk = await invocation.chunks.get()
            if isinstance(chunk, dict):
                raise BadAnswer("the stream ended within its head")
            start += chunk
        prelude, _, chunk = start.partition(PRELUDE_END)
        answer = lambda_events.read_prelude(prelude)
        if request.method == "HEAD" or answer.status == 204:
            self._write(writer, request, answer)
            return True
        fields = [(name, value) for name, value in answer.headers if name.lower() != "content-length"]
        writer.write(head_bytes(answer.status, [*fields, ("Transfer-Encoding", "chunked")]))
        while not isinstance(chunk, dict):
            if chunk:
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await writer.drain()
            chunk = await invocation.chunks.get()
        if "lambda-runtime-function-error-type" in chunk:
            # The client must see that it has not got everything: no last chunk.
            writer.close()
            return False
        writer.write(b"0\r\n\r\n")
        return True


class Control:
    """All functions of a gateway."""

    def __init__(self) -> None:
        self._functions: dict[int, tuple[FunctionServer, tempfile.TemporaryDirectory[str]]] = {}

    async def start(self, settings: FunctionSettings) -> FunctionServer:
        """Starts a function."""
        folder = tempfile.TemporaryDirectory(prefix="lambda-")
        function = FunctionServer(settings, Path(folder.name))
        try:
            await function.start()
        except OSError:
            await function.stop()
            folder.cleanup()
            raise
        self._functions[function.port] = (function, folder)
        return function

    def function(self, port: int) -> FunctionServer:
        """The function at a port."""
        return self._functions[port][0]

    async def stop(self, port: int) -> dict[str, Any]:
        """Ends a function."""
        function, folder = self._functions.pop(port)
        report = await function.stop()
        folder.cleanup()
        return report

    async def stop_all(self) -> None:
        """Ends all functions."""
        await asyncio.gather(*(self.stop(port) for port in list(self._functions)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the requests of one connection to the control port."""
        try:
            while head := await read_head(reader):
                method, target, headers = head
                body, _ = await read_body(reader, headers)
                try:
                    status, document = 200, await self._perform(method, target, body)
                except (KeyError, TypeError, ValueError, OSError) as error:
                    status, document = 400, {"error": f"{type(error).__name__}: {error}"}
                write_answer(writer, status, [JSON_TYPE], json.dumps(document).encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def _perform(self, method: str, target: str, body: bytes) -> dict[str, Any]:
        if (method, target) == ("POST", "/_functions"):
            return {"port": (await self.start(FunctionSettings(**json.loads(body)))).port}
        port = int(target.removeprefix("/_functions/"))
        if method == "DELETE":
            return await self.stop(port)
        return self.function(port).report()


class Gateway:
    """A gateway in a thread of this process, for tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._control = Control()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, command: list[str], environment: dict[str, str] | None = None, **options: Any) -> Function:
        """Starts a function; see `FunctionSettings` for the options."""
        settings = FunctionSettings([str(part) for part in command], environment or {}, **options)
        return Function(self, self.run(self._control.start(settings)).port)

    def close(self) -> None:
        """Ends all functions."""
        if self._loop.is_closed():
            return
        self.run(self._control.stop_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Runs a coroutine on the gateway's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def report(self, port: int) -> dict[str, Any]:
        """What there is to see of a function."""
        async def report() -> dict[str, Any]:
            return self._control.function(port).report()

        return self.run(report())

    def stop(self, port: int) -> dict[str, Any]:
        """Ends a function by SIGTERM; returns what became of it."""
        return self.run(self._control.stop(port))

    def signal(self, port: int, number: int) -> None:
        """Sends a signal to all processes of a function that run."""
        async def send() -> None:
            for environment in self._control.function(port).environments:
                environment.send_signal(number)

        self.run(send())

    def start_seconds(self, port: int) -> float:
        """How long the first process took from its start to its first request for an event."""
        environment = self._control.function(port).environments[0]
        return environment.first_next - environment.started if environment.first_next else 0


@dataclass
class Function:
    """A running function."""

    gateway: Gateway
    port: int

    @property
    def report(self) -> dict[str, Any]:
        """Pids, exit statuses, errors at start, log."""
        return self.gateway.report(self.port)

    def signal(self, number: int) -> None:
        """Sends a signal to all of its processes."""
        self.gateway.signal(self.port, number)

    def stop(self) -> dict[str, Any]:
        """Ends it by SIGTERM; returns what became of it."""
        return self.gateway.stop(self.port)


async def main() -> None:
    """The gateway as a process."""
    control = Control()
    server, port = await serve(control.serve)
    print(json.dumps({"port": port}), flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_end() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    await ended.wait()
    server.close()
    await control.stop_all()


if __name__ == "__main__":
    asyncio.run(main())
