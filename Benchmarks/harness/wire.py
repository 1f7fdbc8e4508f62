"""The bytes of requests: HTTP, the Redis protocol, the PostgreSQL protocol."""

import json
import struct

PAYLOAD_BYTES = 200


def payload() -> str:
    """One message: a JSON object of exactly 200 bytes, the same for every contender."""
    order = {"order": 4711, "customer": "c-180225", "at": "2025-06-01T12:00:00Z", "note": ""}
    empty = len(json.dumps(order, separators=(",", ":")))
    note = "two boxes of oranges, one of lemons; ring twice. " * 4
    order["note"] = note[: PAYLOAD_BYTES - empty]
    text = json.dumps(order, separators=(",", ":"))
    assert len(text) == PAYLOAD_BYTES
    return text


def http_post(path: str, body: str, content_type: str = "application/json") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body.encode())}\r\n\r\n{body}"
    ).encode()


def http_get(path: str, accept: str | None = None) -> bytes:
    header = f"Accept: {accept}\r\n" if accept else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n".encode()


def redis_command(*words: str) -> bytes:
    parts = [f"*{len(words)}\r\n"]
    parts += [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return "".join(parts).encode()


def postgres_opening(user: str, database: str, statement: str) -> bytes:
    """Logs in without a password and prepares a statement named `s`."""
    settings = f"user\0{user}\0database\0{database}\0\0".encode()
    login = struct.pack("!ii", len(settings) + 8, 3 << 16) + settings
    parse = b"s\0" + statement.encode() + b"\0" + struct.pack("!h", 0)
    return login + _postgres_message(b"P", parse) + _postgres_message(b"S", b"")


def postgres_execute(parameters: list[str]) -> bytes:
    """Runs the prepared statement in a transaction of its own."""
    bind = b"\0s\0" + struct.pack("!hh", 0, len(parameters))
    for parameter in parameters:
        value = parameter.encode()
        bind += struct.pack("!i", len(value)) + value
    bind += struct.pack("!h", 0)
    execute = b"\0" + struct.pack("!i", 0)
    messages = [(b"B", bind), (b"E", execute), (b"S", b"")]
    return b"".join(_postgres_message(kind, body) for kind, body in messages)


def _postgres_message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body
