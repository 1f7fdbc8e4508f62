"""HTTP/1.1 on asyncio streams, as much of it as servers in tests need."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Awaitable, Callable, Iterable

HEAD_BYTES_MAXIMUM = 1024 * 1024

Headers = list[tuple[str, str]]


async def read_lines(reader: asyncio.StreamReader) -> tuple[str, Headers] | None:
    """The first line and the fields of the next message; `None` where the other side is gone."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    line, *fields = raw[:-4].decode("latin-1").split("\r\n")
    return line, [(name, value.strip()) for name, _, value in (field.partition(":") for field in fields)]


async def read_head(reader: asyncio.StreamReader) -> tuple[str, str, Headers] | None:
    """Method, target and fields of the next request; `None` where the client is gone."""
    head = await read_lines(reader)
    if head is None:
        return None
    method, target, _ = head[0].split(" ", 2)
    return method, target, head[1]


def first(headers: Headers, name: str) -> str:
    """The first value of a field; empty where there is none."""
    return next((value for key, value in headers if key.lower() == name), "")


async def read_body(
    reader: asyncio.StreamReader, headers: Headers, sink: Callable[[bytes], None] | None = None
) -> tuple[bytes, dict[str, str]]:
    """The body and its trailers; `sink` gets each chunk as it comes."""
    if first(headers, "transfer-encoding").lower() != "chunked":
        length = int(first(headers, "content-length") or 0)
        return (await reader.readexactly(length) if length else b""), {}
    body = bytearray()
    while size := int((await reader.readline()).partition(b";")[0], 16):
        chunk = await reader.readexactly(size)
        await reader.readexactly(2)
        if sink:
            sink(chunk)
        else:
            body += chunk
    trailers: dict[str, str] = {}
    while (line := await reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.lower()] = value.strip()
    return bytes(body), trailers


def head_bytes(status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of an answer."""
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


def write_answer(
    writer: asyncio.StreamWriter, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b"", *,
    with_body: bool = True,
) -> None:
    """Writes a whole answer; for HEAD, without the body."""
    fields = [(name, value) for name, value in headers if name.lower() != "content-length"]
    if status >= 200 and status != 204:
        fields.append(("Content-Length", str(len(body))))
    writer.write(head_bytes(status, fields) + (body if with_body else b""))


async def serve(
    handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> tuple[asyncio.Server, int]:
    """Listens on a free port of 127.0.0.1."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=HEAD_BYTES_MAXIMUM)
    return server, server.sockets[0].getsockname()[1]
